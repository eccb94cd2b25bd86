"""The command line: which commands there are, and in which order `--help` tells them.

Every command is thin: settings, one call into the product, plain lines out. Those of one room are in
its own `commands.py`, those about the whole product in `command_line/`; none loads a web server
before it is called.
"""

import typer

from classifier import commands as classifying
from classifier.corpus_command import corpus
from command_line.demo import demo_app
from command_line.doctor import doctor
from command_line.running import run
from command_line.tools import bench, test
from core.commands import add_to
from sla.commands import due
from sla.measures.commands import measures_app
from telephony.commands import replay
from tickets.certificates.commands import certificates_app
from tickets.duplicates.commands import clusters
from tickets.export.fonts import FONT
from tickets.search.commands import search_app

PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="12345 government hotline: contact centre and ticketing for a city.",
)
app.command()(run)
app.command(context_settings=PASS_ON)(test)
for command in (replay, due, corpus, doctor):
    app.command()(command)
app.command(context_settings=PASS_ON)(bench)
add_to(app)
app.command()(clusters)
classifying.add_to(app, FONT)
app.add_typer(demo_app, name="demo")
app.add_typer(search_app, name="search")
app.add_typer(measures_app, name="measures")
app.add_typer(certificates_app, name="certificates")

if __name__ == "__main__":
    app(prog_name="hotline.py")
