"""What the pages call the ways a channel can be set, and what went wrong with it."""

MODES = {
    "platform": ("已启用", "good"),
    "imap": ("已启用", "good"),
    "double": ("开发替身", "info"),
    "folder": ("开发文件夹", "info"),
    "off": ("未启用", "quiet"),
}
TROUBLES = {
    "not_followed": "对方已取消关注",
    "window": "超过 48 小时没有互动，只能发模板消息",
    "timeout": "对方平台没有及时答复",
    "unreachable": "连不上对方平台",
    "not_json": "对方平台的答复看不懂",
    "no_media": "照片或语音已过期或不存在",
    "address_refused": "对方地址不允许访问，请检查 notify.allowed_networks",
    "name_unknown": "对方域名解析不了",
    "plain_http_refused": "对方地址须使用 https",
    "url_invalid": "对方地址不正确",
    "imap_refused": "邮箱拒绝登录或信箱不存在",
    "letter_too_large": "一封来信超过 40 MB，已在邮箱中标记，请人工查看",
    "letter_unreadable": "一封来信无法解析，已在邮箱中标记，请人工查看",
    "recipient_refused": "收件地址被拒绝",
    "login_refused": "发信账号被拒绝",
    "wechat_40001": "AppSecret 不正确或令牌已失效",
    "wechat_40125": "AppSecret 不正确",
    "wechat_40013": "AppID 不正确",
    "wechat_40164": "本机地址不在公众号的 IP 白名单中",
    "wechat_40037": "模板编号不正确",
    "wechat_45009": "微信接口今日调用次数已用完",
}


def trouble(code: str | None) -> str:
    """What went wrong, in words; a platform's own code as it is."""
    if not code:
        return ""
    return TROUBLES.get(code, f"对方平台答复 {code}")
