"""What the hotline says in a dialogue. Pure."""

from tickets.states import State

WELCOME = (
    "您好，这里是12345热线。请直接说出您要反映、咨询或投诉的事情，可以打字、发语音、照片或位置。\n"
    "回复“查询”看您的工单，“催办”“补充”“评价”办理后续，“退订”不再接收进度消息。\n"
    "您提供的信息只用于办理您的事情。紧急情况请拨打110、119、120。"
)
GOODBYE = "您已停止接收进度消息。回复“订阅”可以恢复，随时回复“查询”看办理情况。"
BACK = "已恢复发送进度消息。"
WHAT = "已收到。请说说是什么事情、希望怎样解决。"
WHERE = "已记下。事情发生在哪里？请发送位置，或写出地址；说不清请回复“跳过”。"
PHOTOS = "地点已记下。有照片请现在发来（最多9张），没有或发完了请回复“好了”。"
CONTACT = (
    "怎样联系您？请回复姓名和手机号，例如“张先生 13800000000”；"
    "只在这里联系请回复“跳过”；不愿透露身份请回复“匿名”。"
)
NO_PHONE = "没有认出手机号或固定电话。请再发一次，例如“张先生 13800000000”；只在这里联系请回复“跳过”。"
MORE_PHOTO = "照片已收到（{count} 张）。还有请继续发，发完了请回复“好了”。"
FULL = "这件事的内容已经很多了，请先提交；其余可以在提交后用“补充”发来。"
NOTED = "已补记。{next}"
CONFIRM = "{summary}\n\n回复“确认”提交，“修改”重新说，“取消”不提交。"
SUBMITTED = (
    "已提交，谢谢您。\n工单编号：{number}\n查询码：{code}\n"
    "进度会发到这里，您也可以随时回复“查询”“催办”“补充”。"
)
LETTER_TAKEN = (
    "您好，您的来信已登记。\n工单编号：{number}\n查询码：{code}\n"
    "要补充情况，请直接回复本邮件并保留主题中的编号；也可致电12345，凭编号和查询码查询。\n"
    "不愿再接收进度邮件，请回复“退订”。"
)
LETTER_ADDED = "您好，来信已补充到工单 {number}。"
LETTER_EMPTY = "您好，来信没有可以登记的内容。请在信中写明什么事、在哪里、怎样联系您，再发一次。"
LETTER_FOREIGN = (
    "您好，来信主题中的工单不是从这个邮箱提交的，内容没有加到该工单，已另行登记。\n"
    "工单编号：{number}\n查询码：{code}"
)
DROPPED = "已取消，没有提交。需要时请直接说出您的事情。"
AGAIN = "您上次说到一半：\n{summary}\n\n回复“1”接着说，“2”放下它、从这次的话重新开始。"
ANEW = "很抱歉，刚才说到哪一步没能接上，您说过的内容还在。\n"
ANEW_EMPTY = "很抱歉，刚才说到哪一步没能接上。\n"
AGAIN_ASK = "请回复“1”接着说上次的事，或“2”重新开始。"
NONE_OPEN = "您没有正在办理的工单。请直接说出您要反映的事情。"
NONE_AT_ALL = "您还没有从这里提交过工单。请直接说出您要反映的事情。"
NONE_RATEABLE = "您现在没有可以评价的工单。"
CHOOSE = "您有几件工单，请回复前面的数字：\n{list}"
CHOOSE_BY = "您有几件工单，请说明是哪一件，例如“催办1”：\n{list}"
CHOOSE_ASK = "请回复列表前面的数字，或回复“取消”。"
URGED = "已为您催办：{number}。承办单位会收到提醒。"
ADDED = "已补充到工单 {number}。还有请继续发，发完了请回复“好了”。"
ADD_WHAT = "请发来要补充到工单 {number} 的文字、照片或语音，发完了请回复“好了”。"
ADD_DONE = "补充完了，谢谢您。"
RATE_WHICH = "请评价工单 {number} 的办理（点一下即可，或回复“评价”加数字）："
RATED = "评价已收到，谢谢您。"
UNREADABLE = "这种消息暂时看不懂，请用文字、语音、照片或位置说给我们。"
BUSY = "您发得太快了，请稍等一会儿再发。"
MEDIA_LOST = "您发来的一个照片或语音没有收到，请用“补充”再发一次。"
FILE_REFUSED = "您来信中的附件“{name}”没有收下（类型、大小或内容不允许）。可换成照片、PDF 或文本再发一次。"
REFUSED_DEFAULT = "这一步没有办成，您说的内容还在。请稍后再试，或拨打12345。"
REFUSED: dict[str, str] = {
    "form_invalid": "有内容不符合要求，没有提交，您说的内容还在。请回复“修改”重新说，或拨打12345。",
    "act_not_now": "工单现在的状态不能这样办理，请回复“查询”看看。",
    "acts_too_many": "这件工单您最近已经办理过这一项，请稍后再试。",
    "channel_full": "您今天提交的事情已经很多了，这一件没有提交，内容还在。请明天再试，或拨打12345。",
    "already_rated": "这件工单您已经评价过了，谢谢您。",
}
SUMMARY_WHAT, SUMMARY_WHERE = "事情：{text}", "地点：{text}"
SUMMARY_FILES, SUMMARY_CONTACT = "附件：{count} 个", "联系：{text}"
ONLY_HERE, ANONYMOUS = "只在这里联系", "匿名"
ON_THE_MAP = "地图上选的位置"
ADDED_PLACE = "市民补充了位置：{place}"
ADDED_VOICE, ADDED_PHOTO = "市民补充了语音，见附件。", "市民补充了照片，见附件。"
VOICE_ONLY = "（市民发来语音，见附件）"
# One tap says all three answers (domain: answered, solved, satisfied), each of them in words.
RATINGS: dict[int, tuple[str, bool, bool, int]] = {
    5: ("已联系我、已解决、非常满意", True, True, 5),
    4: ("已联系我、已解决、满意", True, True, 4),
    3: ("已联系我、已解决、一般", True, True, 3),
    2: ("已联系我、没解决、不满意", True, False, 2),
    1: ("没联系我、没解决、非常不满意", False, False, 1),
}
# At most five characters: what a template message has room for. The whole sentence stands beside it.
SHORT_STATES: dict[State, str] = {
    State.WAITING_ACCEPT: "待受理",
    State.WAITING_SUPPLEMENT: "待您补充",
    State.WAITING_DISPATCH: "已受理",
    State.WAITING_SIGN: "已转办",
    State.HANDLING: "办理中",
    State.RETURN_REVIEW: "核实中",
    State.RULING: "核实中",
    State.EXTENSION_REVIEW: "办理中",
    State.SUSPENSION_REVIEW: "办理中",
    State.SUSPENDED: "暂停办理",
    State.CLOSING_REVIEW: "办理中",
    State.WAITING_CHECK: "审核中",
    State.WAITING_CALLBACK: "已答复",
    State.CLOSED: "已办结",
    State.ANSWERED: "已答复",
    State.INFORMED: "已告知",
    State.EMERGENCY: "已转紧急",
    State.ARCHIVED: "已办结",
    State.MERGED: "已并案",
    State.WITHDRAWN: "已撤回",
    State.VOID: "已作废",
}
STATE_NEWS = "工单 {number}：{words}。"
RATE_HINT = "回复“评价”加数字即可：5 非常满意，4 满意，3 一般，2 没解决，1 没人联系。例如“评价5”。"
