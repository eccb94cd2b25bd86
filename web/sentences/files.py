"""Sentences of attachments, exports and prints."""

from web.sentences.problem import KEPT as _KEPT
from web.sentences.problem import Problem

_NOT = "文件没有保存，工单没有改动。"

PROBLEMS: dict[str, Problem] = {
    "upload_broken": Problem(
        400, "上传没有完成", f"{_NOT}收到的内容不完整或格式不对，可能是网络中断。请重新选择文件后再上传。"
    ),
    "attachment_kind": Problem(
        415,
        "不支持这种文件",
        f"{_NOT}可上传：图片（jpg、png、gif、webp）、pdf、docx、xlsx、txt、录音（wav、mp3、amr）、视频（mp4）。",
    ),
    "attachment_content": Problem(
        415, "文件内容与扩展名不符", f"{_NOT}请用原来的软件另存为正确的格式后再上传。"
    ),
    "attachment_active": Problem(
        415, "文件里有程序或脚本", f"{_NOT}请去掉宏、脚本和嵌入的文件，或打印成 PDF 后再上传。"
    ),
    "attachment_broken": Problem(415, "文件不完整", f"{_NOT}请确认文件能正常打开，再重新上传。"),
    "attachment_bomb": Problem(413, "文件展开后过大", f"{_NOT}图片像素或压缩内容超过上限，请缩小后再上传。"),
    "attachment_too_large": Problem(413, "文件过大", f"{_NOT}文件超过这一类型的上限，请压缩或分开后再上传。"),
    "attachment_empty": Problem(422, "没有内容", f"{_NOT}没有选择文件，或文件是空的。请重新选择。"),
    "attachment_infected": Problem(
        415, "文件未通过安全检查", f"{_NOT}请先在本机查杀病毒，再联系系统管理员。"
    ),
    "attachment_unscanned": Problem(
        503, "安全检查暂时不可用", f"{_NOT}请稍后重试；如一直如此，请通知系统管理员。"
    ),
    "attachment_too_many": Problem(
        409, "附件数量已满", f"{_NOT}请先撤回不需要的附件，或把多个文件合并后再上传。"
    ),
    "attachment_closed": Problem(409, "工单已不能添加附件", "工单已归档、并案或作废，文件没有保存。"),
    "attachment_personal": Problem(
        422, "内容含有个人信息", f"{_NOT}文件里发现电话、证件号等个人信息，不能公开。请去除后再上传。"
    ),
    "attachment_unchecked": Problem(
        422, "请先核对", f"{_NOT}公开的附件须先核对不含个人信息，请勾选“已核对”后再提交。"
    ),
    "attachment_identifies": Problem(
        422,
        "可能暴露反映人",
        "附件标有“可能暴露反映人”，不能给承办单位或公众查看，没有改动。请上传一份隐去身份的副本。",
    ),
    "attachment_not_found": Problem(404, "没有找到附件", "附件不存在、已撤回，或您无权查看。请返回工单。"),
    "attachment_missing": Problem(
        410, "附件文件不在了", "附件的登记还在，但文件不在服务器上。请通知系统管理员从备份恢复。"
    ),
    "attachment_reason": Problem(422, "请填写原因", "撤回附件须写明原因（200 字以内），没有改动。"),
    "attachment_twice": Problem(409, "已有同样的附件", f"同一文件已对同样的人开放，没有改动。{_KEPT}"),
    "export_running": Problem(409, "已有导出在进行", "您的上一次导出还没有完成，请等它完成后再试。"),
    "export_not_found": Problem(404, "没有找到导出", "导出不存在、已过期，或不是您的。请重新导出。"),
    "recording_not_found": Problem(404, "没有找到通话", "通话不存在，或不属于您能查看的工单。请返回工单。"),
    "recording_sealed": Problem(
        403, "录音不向承办单位开放", "声音可能暴露来电人。需要联系来电人时，请用“请热线代为询问”。"
    ),
    "recording_unasked": Problem(403, "请先填写收听原因", "录音须填写原因后收听，请回到工单重新填写。"),
    "recording_running": Problem(409, "通话还没有结束", "录音在通话结束后才能收听，请稍后再试。"),
    "recording_swept": Problem(410, "录音已过保留期限", "录音已按保留期限清理，通话记录仍在。工单没有改动。"),
    "recording_empty": Problem(
        410, "没有声音", "录音文件里没有声音（通话没有媒体流），没有记入审计。工单没有改动。"
    ),
    "recording_broken": Problem(
        410, "录音文件损坏", "录音文件不完整，不能播放，没有记入审计。请把通话时间告诉系统管理员。"
    ),
    "recording_missing": Problem(
        410, "录音不在了", "这次通话没有录音，或录音文件已不在电话系统的目录里。工单没有改动。"
    ),
    "print_not_ready": Problem(409, "还不能打印", "工单还没有走到这一步，没有可打印的内容。"),
}
