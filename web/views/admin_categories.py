"""Categories in versions: a draft is edited, compared with what is in force, and published."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiohttp import web
from pydantic import Field

from core.errors import HotlineError
from core.people.duties import Act
from core.people.permissions import Permission
from core.pinyin import initials
from tickets import acts, categories
from tickets.category_tree import Node, Tree
from web.context import actor, context
from web.inputs import Fields, path_id, read_form, read_query
from web.render import page
from web.routes import route
from web.sentences import PROBLEMS
from web.views._admin import DONE, MEGABYTE, ListFields, NoFields, back, csv_file

HOME = "/admin/categories"
MAY = Permission.CATALOG_MANAGE
CODE = r"^[A-Za-z0-9_.-]{1,20}$"
OPTIONAL_CODE = r"^[A-Za-z0-9_.-]{0,20}$"
KIND_TONES = {"new": "good", "opened": "good", "closed": "bad", "merged": "warn"}


class CategoryQuery(Fields):
    code: str = Field("", max_length=20)
    view: Literal["", "present", "changes", "versions"] = ""
    done: str = Field("", max_length=20)


class Edit(Fields):
    """One change of the draft; which of the fields count depends on `what`."""

    edits: int = Field(ge=0, lt=2**31)
    what: Literal["add", "rename", "move", "up", "down", "close", "open", "merge"]
    code: str = Field(pattern=CODE)
    name: str = Field("", max_length=30)
    parent: str = Field("", pattern=OPTIONAL_CODE)
    into: str = Field("", pattern=OPTIONAL_CODE)


class Publish(Fields):
    version_id: int = Field(gt=0, lt=2**63)
    edits: int = Field(ge=0, lt=2**31)
    note: str = Field(min_length=2, max_length=500)


class CategoryList(ListFields):
    edits: int = Field(0, ge=0, lt=2**31)


@dataclass
class TreeNode:
    """A matter on the page with what is below it."""

    node: Node
    keywords: str
    open: bool = False
    below: list[TreeNode] = field(default_factory=list)


def shown(tree: Tree, chosen: str) -> list[TreeNode]:
    """The tree for the page; the way to the chosen matter is open."""
    way = {node.code for node in tree.chain(chosen)} if chosen in tree.nodes else set()
    nodes: dict[str, TreeNode] = {}
    roots: list[TreeNode] = []
    for node in tree.walk():
        made = TreeNode(node, f"{node.name} {node.code} {initials(node.name)}".lower(), node.code in way)
        nodes[node.code] = made
        (nodes[node.parent].below if node.parent else roots).append(made)
    return roots


def _places(tree: Tree, code: str) -> list[tuple[str, str]]:
    """Where a matter may be moved: open ones of the first two levels, not below itself."""
    inside = {code, *(node.code for node in tree.walk(code))}
    return [
        (node.code, tree.full_name(node.code))
        for node in tree.walk()
        if node.active and node.code not in inside and tree.level(node.code) < 3
    ]


@route("GET", HOME, permission=MAY)
async def category_page(request: web.Request) -> web.StreamResponse:
    """The draft if there is one, or what is in force; beside it the matter that was chosen."""
    query, ctx = read_query(request, CategoryQuery), context(request)
    async with ctx.db.read() as session:
        present, draft = await categories.present(session), await categories.draft(session)
        versions = await categories.published(session)
        tree = Tree.of(draft.tree) if draft and query.view != "present" else present
        changes = Tree.of(draft.tree).differences(present) if draft else []
        node = tree.nodes.get(query.code)
        codes = [one.code for one in changes if one.kind in ("closed", "merged")]
        counts = await categories.open_tickets(session, [*codes, *([node.code] if node else [])])
    view = query.view or ("draft" if draft else "present")
    values: dict[str, Any] = {"places": [], "targets": []}
    if node is not None and view == "draft":
        values["places"] = _places(tree, node.code)
        values["targets"] = [
            (one.code, tree.full_name(one.code))
            for one in tree.walk()
            if one.active and one.code != node.code
        ]
    return await page(
        request,
        "admin/categories.html",
        roots=shown(tree, query.code),
        tree=tree,
        node=node,
        view=view,
        draft=draft,
        changes=changes,
        counts=counts,
        versions=versions,
        kind_words=acts.KIND_WORDS,
        kind_tones=KIND_TONES,
        total=sum(one.active for one in tree.nodes.values()),
        done=DONE.get(query.done, ""),
        **values,
    )


@route("GET", HOME + r"/versions/{version_id:\d+}", permission=MAY)
async def version_page(request: web.Request) -> web.StreamResponse:
    """A tree as it once was."""
    ident = path_id(request, "version_id")
    async with context(request).db.read() as session:
        version = await categories.version(session, ident)
    tree = Tree.of(version.tree)
    return await page(request, "admin/category_version.html", version=version, tree=tree)


@route("POST", HOME + "/draft", permission=MAY)
async def open_draft(request: web.Request) -> web.StreamResponse:
    """Begin a draft from what is in force."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await categories.open_draft(uow, actor(request))
    return back(request, HOME)


@route("POST", HOME + "/drop", permission=MAY)
async def drop(request: web.Request) -> web.StreamResponse:
    """Give the draft up."""
    await read_form(request, NoFields)
    async with context(request).db.begin() as uow:
        await categories.drop(uow, actor(request))
    return back(request, HOME, "dropped")


def _change(form: Edit) -> Callable[[Tree], Tree]:
    changes: dict[str, Callable[[Tree], Tree]] = {
        "add": lambda tree: tree.add(form.code, form.name, form.parent or None),
        "rename": lambda tree: tree.rename(form.code, form.name),
        "move": lambda tree: tree.move(form.code, form.parent or None),
        "up": lambda tree: tree.order(form.code, up=True),
        "down": lambda tree: tree.order(form.code, up=False),
        "close": lambda tree: tree.close(form.code),
        "open": lambda tree: tree.open(form.code),
        "merge": lambda tree: tree.merge(form.code, form.into),
    }
    return changes[form.what]


@route("POST", HOME + "/edit", permission=MAY)
async def edit(request: web.Request) -> web.StreamResponse:
    """One change of the draft."""
    form = await read_form(request, Edit)
    detail = {name: value for name, value in form.model_dump().items() if value != "" and name != "edits"}
    async with context(request).db.begin() as uow:
        count = await categories.edit(uow, actor(request), form.edits, _change(form), detail)
    return back(request, HOME, "saved" if count != form.edits else "unchanged", code=form.code)


@route("POST", HOME + "/publish", permission=MAY)
async def publish(request: web.Request) -> web.StreamResponse:
    """Put the draft before the administrator who has to approve it."""
    form, ctx = await read_form(request, Publish), context(request)
    asked = acts.PublishCategories(version_id=form.version_id, edits=form.edits, note=form.note)
    async with ctx.db.begin() as uow:
        draft = await categories.draft(uow.session)
        if draft is None or (draft.id, draft.edits) != (form.version_id, form.edits):
            raise HotlineError("category_no_draft")
        if not await categories.differences(uow.session, Tree.of(draft.tree)):
            raise HotlineError("category_unchanged")
        sent = await ctx.people.proposals.submit(
            uow, actor(request), Act.CATEGORY_PUBLISH, asked, note=form.note
        )
    return back(request, HOME, "proposed" if sent.proposal_id else "published")


@route("GET", HOME + "/list.csv", permission=MAY)
async def export(request: web.Request) -> web.StreamResponse:
    """The draft, or what is in force, as a list."""
    async with context(request).db.read() as session:
        draft = await categories.draft(session)
        tree = Tree.of(draft.tree) if draft else await categories.present(session)
    return csv_file("categories.csv", categories.export(tree))


@route("GET", HOME + "/import", permission=MAY)
async def import_page(request: web.Request) -> web.StreamResponse:
    """Paste or choose a list for the draft."""
    return await _import_page(request, "", None, [], 0)


@route("POST", HOME + "/import", permission=MAY, max_body=3 * MEGABYTE)
async def import_list(request: web.Request) -> web.StreamResponse:
    """First what the list would change in the draft, then the change itself."""
    form, ctx = await read_form(request, CategoryList), context(request)
    async with ctx.db.begin() as uow:
        if form.sure:

            def take(tree: Tree) -> Tree:
                after, wrong = categories.read_list(tree, form.text)
                if wrong:
                    raise HotlineError("list_wrong", wrong=len(wrong))
                return after

            await categories.edit(uow, actor(request), form.edits, take, {"what": "import"})
            return back(request, HOME, "imported", view="changes")
        draft = await categories.draft(uow.session)
        if draft is None:
            raise HotlineError("category_no_draft")
        before = Tree.of(draft.tree)
        edits = draft.edits
    after, wrong = categories.read_list(before, form.text)
    lines = [(number, code, PROBLEMS[error.code].title) for number, code, error in wrong]
    return await _import_page(request, form.text, after.differences(before), lines, edits)


async def _import_page(
    request: web.Request, text: str, changes: Any, wrong: list[tuple[int, str, str]], edits: int
) -> web.StreamResponse:
    return await page(
        request, "admin/category_import.html", text=text, changes=changes, wrong=wrong, edits=edits,
        columns=list(categories.COLUMNS.values()), kind_words=acts.KIND_WORDS, kind_tones=KIND_TONES,
    )  # fmt: skip
