"""Sentences of the citizens' portal, and of what citizens do to their tickets on any channel."""

from web.sentences.problem import KEPT, Problem

PROBLEMS: dict[str, Problem] = {
    "act_not_now": Problem(
        409, "现在不能这样做", f"这件诉求的办理状态已变化，没有改动。{KEPT}请刷新后查看可以做什么。"
    ),
    "acts_too_many": Problem(
        429, "操作太频繁", f"催办每天一次，补充最多 20 次，没有改动。{KEPT}急事请拨打 12345。"
    ),
    "already_rated": Problem(409, "已经评价过", "这件诉求您已评价，没有改动。如不满意，可以提出申诉。"),
    "portal_closed": Problem(
        503, "网上受理暂未开放", "现在不能使用网站，没有保存任何内容。请拨打 12345，或稍后再试。"
    ),
    "portal_agree": Problem(
        422, "请先同意隐私说明", f"勾选“我已阅读并同意”后才能提交。{KEPT}请勾选后再次提交。"
    ),
    "portal_files": Problem(
        422, "有文件不能接收", f"下面写明了哪个文件、为什么。{KEPT}可以换一个文件，或直接再次提交其余内容。"
    ),
    "portal_sent": Problem(
        409,
        "这张表已经提交过",
        "之前提交的内容已经收到，可以在“查进度”中查看或补充。现在的内容与那次不同，还没有提交。"
        f"{KEPT}如果是另一件事，请重新选择照片和文件后再次提交。",
    ),
    "portal_no_match": Problem(
        404, "编号或查询码不正确", "请核对 18 位编号和 6 位查询码后再试。连续输错 5 次，30 分钟内不能再查。"
    ),
    "portal_proof": Problem(
        403, "请重新验证", "为保护您的信息，验证已过期，没有改动。请重新输入编号和查询码，或重新登录。"
    ),
    "portal_code": Problem(
        422,
        "验证码不正确或已过期",
        "请核对短信中的 6 位验证码。输错 5 次或超过 10 分钟后，请返回重新获取。",
    ),
    "openid_refused": Problem(
        403, "登录没有成功", "身份认证没有通过或已取消，没有改动。请重新登录，或用短信验证码登录。"
    ),
    "openid_failed": Problem(
        503, "身份认证暂时不通", "现在连不上统一身份认证，没有改动。请稍后再试，或用短信验证码登录。"
    ),
    "rights_too_many": Problem(
        429, "还有申请在处理", f"同时最多 3 件申请，没有提交。{KEPT}请等前面的申请办理后再提。"
    ),
    "rights_phone": Problem(
        422, "请用手机号登录", f"个人信息申请须核实手机号，没有提交。{KEPT}请退出后用短信验证码登录。"
    ),
    "data_request_decided": Problem(
        409, "申请已有答复", f"同事已经答复了这件申请，没有改动。{KEPT}请返回列表查看。"
    ),
}

# What is told beside the files of the form; the ticket is not made yet, and there is no administrator to ask.
FILES: dict[str, str] = {
    "attachment_kind": (
        "不支持这种文件。可以上传图片（jpg、png、gif、webp）、pdf、docx、xlsx、txt、"
        "录音（wav、mp3、amr）和视频（mp4）。"
    ),
    "attachment_content": "文件内容与扩展名不符。请用原来的软件另存为正确的格式，或换一个文件。",
    "attachment_active": "文件里有程序或脚本，不能接收。请打印成 PDF 或拍成照片后再选。",
    "attachment_broken": "文件不完整，打不开。请确认能正常打开，再重新选择。",
    "attachment_bomb": "文件展开后过大。请缩小后再选，或换一个文件。",
    "attachment_too_large": "文件过大。请压缩、裁剪或分开后再选。",
    "attachment_empty": "文件是空的。请重新选择。",
    "attachment_infected": "文件没有通过安全检查，不能接收。请换一个文件。",
    "attachment_unscanned": "安全检查暂时不可用，没有接收。请稍后再试，或直接提交其余内容。",
    "attachment_too_many": "文件太多，这一个没有接收。请只选最要紧的几个，或把几张照片拼成一张。",
}
