"""What can be wrong when deeds are told and points are earned: the package's part of the one table."""

from __future__ import annotations

from ledger.web.kit.problems import Sentence

LEDGER_PROBLEMS: dict[str, Sentence] = {
    # Areas
    "area-code-malformed": Sentence(422, "网格编号应为上级编号加后缀。", "A grid's code is its parent's code with a suffix."),
    "area-code-taken": Sentence(409, "这个编号已被使用，请换一个。", "This code is taken; choose another."),
    "area-level-unknown": Sentence(422, "层级应为 grid 或 micro_grid。", "The level must be grid or micro_grid."),
    "area-name-malformed": Sentence(422, "名称应为 1 到 100 个字。", "A name has 1 to 100 characters."),
    "area-name-taken": Sentence(409, "同一社区已有同名网格。", "There is a grid of this name here already."),
    "area-parent-not-above": Sentence(
        409, "这里不能建这种网格：网格建在社区下，微网格建在网格下。", "A grid belongs below a community, a micro-grid below a grid."
    ),
    "grid-kind-malformed": Sentence(
        422, "网格须注明综合或专属；微网格不注明。", "A grid is comprehensive or special; a micro-grid is neither."
    ),
    # Machines
    "token-for-oneself-only": Sentence(
        403,
        "替别人只能发这些用途的令牌：{scopes}；其他用途只能发给自己，否则等于能冒用别人的名义。",
        "For somebody else a token can only be good for {scopes}; with anything more you could act in their name.",
    ),
    "zone-unknown": Sentence(422, "没有这个时区。", "There is no such time zone."),
    # People
    "already-enrolled": Sentence(409, "同名同电话的人已经登记。", "Somebody with this name and phone is enrolled already."),
    "birth-month-malformed": Sentence(422, "出生年月应写成 1956-03。", "Write the month of birth like 1956-03."),
    "choice-unknown": Sentence(422, "没有这个选择。", "There is no such choice."),
    "correction-by-staff": Sentence(
        403,
        "您自己可以改电话和住址；其他内容请带证件到社区，由工作人员更正。",
        "You can change your phone and address yourself; for anything else bring a document to the office.",
    ),
    "dates-out-of-order": Sentence(422, "结束日期早于开始日期。", "The end is before the beginning."),
    "columns-missing": Sentence(422, "文件缺少列：{columns}。", "The file lacks columns: {columns}."),
    "file-missing": Sentence(422, "还没有选文件；请先选一个 Excel 文件。", "No file was chosen; choose an Excel file first."),
    "file-unreadable": Sentence(422, "文件读不出来；请另存为 xlsx 再试。", "The file cannot be read; save it as xlsx and try again."),
    "name-malformed": Sentence(422, "姓名应为 1 到 50 个字。", "A name has 1 to 50 characters."),
    "booklet-up-to-date": Sentence(
        409, "没有新记录要打，纸存折是最新的。", "There is nothing new to print; the paper passbook is up to date."
    ),
    "nothing-to-correct": Sentence(409, "内容与原来相同，没有改动。", "It is the same as before; nothing was changed."),
    "opening-reason-unknown": Sentence(422, "请从列出的查看理由中选一个。", "Choose one of the reasons that are listed."),
    "personal-field-unknown": Sentence(422, "没有这一项资料。", "There is no such field of a person."),
    "phone-malformed": Sentence(422, "电话号码不对。", "This is not a phone number."),
    "role-unknown": Sentence(422, "没有这个角色。", "There is no such role."),
    "role-already-ended": Sentence(409, "这个角色已经结束。", "This role has ended already."),
    "role-for-oneself": Sentence(
        403, "不能给自己授权；请另一位管理员来做。", "Nobody gives a role to themselves; ask another administrator."
    ),
    "role-for-own": Sentence(
        403,
        "不能给亲属、同户或自己的另一份记录授予角色；请另一位管理员授予。",
        "Nobody gives a role to their kin, household or other record; ask another administrator.",
    ),
    "role-takes-two": Sentence(
        403,
        "提出的人、本人和他们的亲属不能确认；请另一位管理员确认，没有的请系统运维人员确认。",
        "Neither whoever proposed it nor who gets it, nor anybody of theirs, confirms it; another administrator or the operator does.",
    ),
    "role-confirmed-already": Sentence(409, "这个角色已经生效，不用再确认。", "This role holds already; there is nothing to confirm."),
    "supervisor-by-operator": Sentence(
        403,
        "居民监督员的角色不由管理员结束；请系统运维人员办理。",
        "No administrator ends the role of a resident supervisor; ask the operator to.",
    ),
    "data-of-staff": Sentence(
        403,
        "这个人为社区或商户工作；请管辖其全部范围的管理员更正或换号。",
        "This person works for the community or a shop; ask an administrator of all their areas to change it.",
    ),
    "staff-of-age": Sentence(
        409,
        "工作人员不能改为未满 14 岁；请核对出生年月，或先结束其角色。",
        "Nobody who works here becomes a child under 14; check the month of birth, or end their roles first.",
    ),
    "token-beyond-areas": Sentence(
        403,
        "这个人的角色超出你管辖的范围；请管辖全部范围的管理员办理，或由本人办理。",
        "This person's roles reach beyond your areas; ask an administrator of all of them, or the person, to make it.",
    ),
    "erasure-takes-two": Sentence(
        403,
        "已有管理员提出；请另一位与其无亲属关系的管理员确认抹除。",
        "An administrator has asked for it; another one, of no kin to the first, must confirm it.",
    ),
    "role-in-the-past": Sentence(
        409,
        "已经过去的日子不能改；最早可写 {earliest}。要补记以前的角色，请运维人员用命令办理。",
        "Days that are past are not changed; the earliest is {earliest}. An operator can record former roles by command.",
    ),
    "charges-for-oneself": Sentence(
        403,
        "不能给自己划住户；请另一位网格员或管理员来做。",
        "Nobody gives charges to themselves; ask another grid worker or administrator.",
    ),
    "charges-too-many": Sentence(
        409,
        "一位楼长最多联系 {most} 人；请先去掉不再联系的。",
        "A building leader looks after {most} persons at most; end those that are no longer theirs first.",
    ),
    "leads-already": Sentence(
        409, "这个人已经在带这个队；请先结束原来的。", "This person leads the team already; end that first, or choose other days."
    ),
    "merge-claims-under-way": Sentence(
        409,
        "不保留的那个记录还有没办完的申报；请先办完，再合并。",
        "The record that goes still has claims under way; decide those first, then merge.",
    ),
    "merge-decided-already": Sentence(409, "这次合并已经有了结论。", "This merge was decided already."),
    "merge-holds-open": Sentence(
        409,
        "不保留的那个记录有积分正冻结；请等兑换办完或过期，再合并。",
        "Points of the record that goes are on hold; wait until the redemption is done or has lapsed, then merge.",
    ),
    "merge-of-one-who-left": Sentence(
        409, "其中一个记录已经不用了，不能再合并。", "One of the two records is no longer in use and cannot be merged."
    ),
    "merge-of-ones-own": Sentence(
        403,
        "不能合并自己的，或亲属、同户、所代办的人的记录；请别的工作人员来办。",
        "Nobody merges their own record, or that of kin, household or somebody they act for; another of the staff must do it.",
    ),
    "merge-of-staff": Sentence(
        403,
        "其中有社区工作人员的账户，只有管理员可以合并。",
        "One of the two is an account of the staff: only administrators merge those.",
    ),
    "merge-proposed-already": Sentence(
        409, "其中一个记录已有待定的合并；请先处理那一个。", "A merge of one of these records is waiting already; decide that one first."
    ),
    "merge-takes-two": Sentence(
        403,
        "合并要由提出者以外的另一位工作人员确认，也不能是提出者的亲属或同户。",
        "A merge is decided by another of the staff than who proposed it, and not by their kin or household.",
    ),
    "merge-with-itself": Sentence(422, "两个记录是同一个。", "These are the same record."),
    "not-a-team-member": Sentence(
        409, "这个人当天不是队员；请先加入团队。", "This person does not belong to the team on that day; add them to it first."
    ),
    "not-a-building-leader": Sentence(
        409, "这个人今天不是楼长；请管理员先授予楼长角色。", "This is no building leader today; an administrator must give the role first."
    ),
    "roster-nobody": Sentence(422, "表里没有找到人员；请检查表头。", "Nobody was found in the sheet; check its headings."),
    "workbook-password": Sentence(422, "文件有密码；请去掉密码再试。", "The file has a password; remove it and try again."),
    "workbook-too-large": Sentence(422, "表太大；请分成几份。", "The sheet is too large; split it."),
    "workbook-unreadable": Sentence(
        422, "这不是能读的 Excel 文件；请另存为 xlsx 再试。", "This is not a readable Excel file; save it as xlsx and try again."
    ),
    "team-name-taken": Sentence(409, "已有同名团队。", "There is a team of this name already."),
    "tie-kind-unknown": Sentence(422, "关系应为 household 或 kin。", "A tie is household or kin."),
    "tie-of-ones-own": Sentence(
        403, "不能解除自己的亲属或同户关系；请另一位管理员来做。", "Nobody ends a tie of their own; ask another administrator."
    ),
    "tie-by-administrator": Sentence(
        403,
        "两份档案是同一个人，由负责两处网格的管理员登记。",
        "That two records are of one person is declared by an administrator of where both live.",
    ),
    "tie-of-staff": Sentence(
        403,
        "其中有社区工作人员，这样的关系由负责两人所在网格的管理员登记。",
        "One of the two works for the community: only an administrator of where both live may declare such a tie.",
    ),
    "tie-with-oneself": Sentence(422, "不能与自己建立关系。", "Nobody is tied to themselves."),
    "link-unknown": Sentence(404, "登录链接不对；请向工作人员要一个新的。", "This sign-in link is not known; ask staff for a new one."),
    "link-used": Sentence(409, "登录链接已用过；请向工作人员要一个新的。", "This sign-in link was used already; ask staff for a new one."),
    "link-expired": Sentence(410, "登录链接已过期；请向工作人员要一个新的。", "This sign-in link has expired; ask staff for a new one."),
    # Cards, PINs and devices
    "card-for-oneself": Sentence(
        403, "不能给自己发卡、换卡、换号或设密码；请另一位工作人员来做。", "Nobody does this for themselves; ask another of the staff."
    ),
    "card-none": Sentence(409, "这个人现在没有卡；请先发卡。", "This person has no card now; issue one first."),
    "card-or-pin-wrong": Sentence(
        403,
        "卡号或密码不对；卡换过、还没设密码，或密码错了很多次的，请到社区柜台办理。",
        "The card or the PIN is wrong; where the card was replaced, has no PIN yet or many tries were wrong, ask at the community counter.",
    ),
    "card-there-already": Sentence(409, "这个人已有一张卡；丢了请换卡。", "This person has a card already; replace it where it is lost."),
    "device-not-paired": Sentence(
        403,
        "这台设备没有配对，不能用卡或开班密码：请向工作人员要登录链接，或用通行密钥；店里的设备请店主配对。",
        "This device is not paired, so neither card nor shift opens here: ask staff for a link, use a passkey, or have the owner pair it.",
    ),
    "pairing-code-wrong": Sentence(
        409,
        "配对码不对、用过了或超过十分钟；请店主或工作人员重新生成一个。",
        "This pairing code is wrong, used or older than ten minutes; have the owner or staff make a new one.",
    ),
    "person-left": Sentence(
        409, "这个人已经离开，不能再办理；请找在册的记录。", "This person has left; look for the record that is active."
    ),
    "erasure-of-staff": Sentence(
        409,
        "还在为社区工作，不能抹除资料；请先由另一位管理员结束这些角色。",
        "Whoever works for the community is not erased; another administrator must end those roles first.",
    ),
    "erasure-by-another": Sentence(
        403, "自己的资料请在“我的资料”里申请抹除。", "Ask for the erasure of your own data on the page My data."
    ),
    "points-on-the-way": Sentence(
        409,
        "还有已通过、未入存折的积分；请等入账后再抹除资料。",
        "Points that were approved have not arrived yet; ask again once they are in the passbook.",
    ),
    "points-held": Sentence(409, "有积分正在冻结；请等付款完成或取消后再试。", "Points are held for a payment; try again when it is done."),
    "pin-code-wrong": Sentence(
        409,
        "这个码不对、用过了或超过一天；请店主重新给一个。",
        "This code is wrong, used or older than a day; have the owner give a new one.",
    ),
    "pin-locked": Sentence(
        403,
        "密码错了太多次，已锁住：请找店主要一个码，重设开班密码。",
        "Too many wrong PINs: it is locked. Ask the owner for a code and set the PIN of your shifts anew.",
    ),
    "pin-malformed": Sentence(422, "密码是 6 位数字。", "A PIN has six digits."),
    "pin-too-easy": Sentence(
        422,
        "这个密码太容易猜：不要用同一个数字、连号、日期、生日，也不要用存折号、卡号或电话里的数字。",
        "This PIN is guessed too easily: no single digit, run, date or birthday, and no part of your numbers or phone.",
    ),
    "pin-wrong": Sentence(
        403,
        "密码不对；还没设过的，请用店主给的码先设一个。",
        "The PIN is wrong; where there is none yet, set one by the code that the owner gives.",
    ),
    "pins-differ": Sentence(422, "两遍输入的密码不一样，请重新输入。", "The two PINs differ; type them again."),
    # Signing in
    "guesses-too-many": Sentence(
        429,
        "错了太多次，请 {retry_after} 秒后再试；忘记了请找社区工作人员。",
        "Too many wrong tries; try again in {retry_after} seconds, or ask community staff where it is forgotten.",
    ),
    "sign-in-wrong": Sentence(
        403,
        "登录不成：编号、密码或验证码有一样不对，或这把通行密钥不能用。请核对后再试；都不行请找管理员重办。",
        "That did not sign you in: number, password or code is wrong, or this passkey is not good here. Check and try again, or ask an "
        "administrator for a new way in.",
    ),
    "proof-wrong": Sentence(
        403, "没有验证成功，事情还没有办；请再试一次。", "The proof was not right, so nothing was done; please try once more."
    ),
    "link-not-enough": Sentence(
        403,
        "您已设好通行密钥或密码加验证码，请用它登录；一次性链接代替不了。都丢了请找管理员重办。",
        "You have a passkey, or password and codes: sign in with that, a link does not stand in for it. Ask an administrator where all is lost.",
    ),
    "password-too-short": Sentence(
        422,
        "密码至少 {least} 个字，可以是一句话，中文、空格都行。",
        "A password has {least} characters or more; a sentence will do, spaces and Chinese too.",
    ),
    "password-too-long": Sentence(422, "密码最多 {most} 个字。", "A password has {most} characters at most."),
    "password-common": Sentence(
        422,
        "这个密码太容易被猜到：不要用常见的词、连着的键、重复的字，也不要用姓名、电话、存折号。",
        "This is guessed too easily: no common words, runs or repetitions, and neither name, phone nor passbook number.",
    ),
    "passwords-differ": Sentence(422, "两次输入的密码不一样，请再输一遍。", "The two passwords are not the same; type them again."),
    "one-time-code-wrong": Sentence(
        422,
        "验证码不对；请看手机上现在的 6 位数字，手机的时间要准。",
        "This code is wrong; type the 6 digits shown now, on a phone whose clock is right.",
    ),
    "one-time-key-expired": Sentence(410, "这个二维码放得太久了，请重新设置。", "This code was open too long; begin again with a new one."),
    "passkey-not-made": Sentence(
        422,
        "通行密钥没有设成，请再试一次；不行就换一台设备，或用密码加验证码。",
        "No passkey was made; try once more, or another device, or password and codes.",
    ),
    "passkeys-too-many": Sentence(
        409, "最多 {most} 把通行密钥；请先删去不用的。", "There are {most} passkeys at most; remove one that is not used."
    ),
    "last-way-in": Sentence(
        409, "这是您唯一的可靠登录方式，不能删；请先设好另一种。", "This is your only strong way in and stays; set up another one first."
    ),
    "way-in-for-oneself": Sentence(
        403, "不能给自己办登录链接或重办；请另一位管理员来做。", "Nobody issues a way in for themselves; ask another administrator."
    ),
    "way-in-takes-two": Sentence(
        403,
        "提出的人、本人和他们的亲属不能确认；请另一位管理员确认。",
        "Neither whoever asked nor the person, nor anybody of theirs, confirms it; another administrator does.",
    ),
    "way-in-decided-already": Sentence(
        409, "这个链接已确认、已用过或已过期；请重新提出。", "This link was confirmed, used or has expired; ask for another."
    ),
    "way-in-of-staff": Sentence(
        403,
        "这位有社区或商户的职务，要由其所有职务范围的管理员来办。",
        "This person holds roles of the staff: an administrator of everywhere they hold them must do it.",
    ),
    # The journal
    "entry-kind-unknown": Sentence(422, "没有这种流水。", "There is no such kind of entry."),
    "entry-kind-does-not-fit": Sentence(
        422, "这种流水不能在这两种账户之间记。", "An entry of this kind does not move points between accounts of these kinds."
    ),
    "same-account": Sentence(422, "转出和转入不能是同一个账户。", "Points cannot move from an account to itself."),
    "points-insufficient": Sentence(409, "积分不够：需要 {asked}，没有扣分。", "Not enough points for {asked}; nothing was taken."),
    "refused-together": Sentence(
        409, "同组的另一项被拒绝，所以这一项没有做。", "Another of the same group was refused, so this was not done."
    ),
    "reversal-exceeds-the-rest": Sentence(409, "最多还能撤销 {left}。", "No more than {left} is left to take back."),
    "reversal-of-a-reversal": Sentence(409, "撤销不能再撤销。", "What took something back cannot itself be taken back."),
    "hold-already-lapsed": Sentence(409, "冻结的时限已过。", "The hold would have lapsed already."),
    "hold-ended": Sentence(409, "这笔冻结已经结束。", "This hold has ended already."),
    "hold-lapsed": Sentence(410, "这笔冻结已过期，积分已退回。", "This hold has lapsed; the points are free again."),
    "hold-exceeded": Sentence(409, "超过冻结的积分：只冻结了 {held}。", "That is more than was held: {held}."),
    # The tariff
    "cap-reached": Sentence(
        409,
        "这件事在本期内可计的积分已到上限（{most}），不再计分。",
        "What can be earned for this in the period has reached its cap ({most}).",
    ),
    "cap-not-after-the-last": Sentence(
        409,
        "新上限的起始日要晚于同一上限的上一条（{last}）。",
        "A new cap must begin after the last one of its kind, which began on {last}.",
    ),
    "deed-not-in-tariff": Sentence(
        409, "{on} 的积分细则里没有这一项，请另选一项。", "The tariff of {on} does not have this deed; choose another."
    ),
    "for-the-whole-book": Sentence(
        403,
        "这是整个账簿共用的，只有整个账簿的管理员可以改。",
        "This is one for the whole book; only an administrator of all of it may change it.",
    ),
    "minutes-missing": Sentence(422, "这件事按小时计分，请填写多少分钟。", "This deed is paid by the hour: say how many minutes."),
    "rate-in-the-past": Sentence(
        409,
        "标准和上限不能从过去的日子算起，最早是今天（{today}）；要接续旧账，请运维人员用命令办理。",
        "Rates and caps begin today ({today}) at the earliest; an operator can take over old books by command.",
    ),
    "rate-not-after-the-last": Sentence(
        409, "新标准的起始日要晚于上一条（{last}）。", "A new rate must begin after the last one, which began on {last}."
    ),
    "too-short-to-count": Sentence(422, "时间太短，不足一分。", "That is too short to earn a point."),
    # Deeds from a sheet
    "cell-error": Sentence(422, "单元格是电子表格的错误值，请改正。", "The cell shows a spreadsheet's error; correct it."),
    "deed-told-already": Sentence(
        409,
        "这件事已经申报过（同一人、同一天、同样的善行、时间、时长和地点）；确是另一件，请写明时间、时长或地点。",
        "This was told already (the same person, day, deed, time, length and place); if it is another one, say when, how long or where.",
    ),
    "sheet-day-malformed": Sentence(
        422, "看不懂这个日期；请写成 2026-11-23，要有年份。", "This day cannot be read; write it like 2026-11-23, with its year."
    ),
    "sheet-deed-missing": Sentence(422, "没有写是哪件善行。", "Which deed it was is missing."),
    "sheet-handle-malformed": Sentence(
        422,
        "存折号应为 8 位数字，末位是校验码；请对照存折。",
        "A passbook number has 8 digits, the last a check digit; look at the passbook.",
    ),
    "sheet-handle-unknown": Sentence(
        404, "没有这个存折号，或不在您的范围内。", "There is no passbook of this number, or it is outside of your areas."
    ),
    "sheet-has-faults": Sentence(
        422,
        "有 {count} 格不能导入，整份都没有导入；请照下面改好再传。",
        "{count} cells cannot be taken, so nothing was; correct them as told below and send the file again.",
    ),
    "sheet-minutes-malformed": Sentence(
        422,
        "看不懂这个时长；应为 1 到 {most} 的整分钟数。",
        "This length cannot be read; it is a whole number of minutes from 1 to {most}.",
    ),
    "sheet-name-differs": Sentence(
        409, "姓名与存折号不符，请核对是不是写错了号。", "The name is not that of the passbook; check whether the number is wrong."
    ),
    "sheet-row-twice": Sentence(409, "与 {cell} 是同一件事，请删去一行。", "The same deed as in {cell}; take one of the rows out."),
    "sheet-taken-already": Sentence(
        409,
        "这份文件已于 {at} 导入过（{claims} 条），没有再导入。",
        "This file was taken in before, at {at} ({claims} deeds); nothing was done.",
    ),
    "sheet-text-too-long": Sentence(422, "文字过长：最多 {most} 字。", "Too long: at most {most} characters."),
    "sheet-without-deeds": Sentence(
        422, "表里没有找到善行；表头要有“存折号”“善行”“日期”。", "No deeds were found; the heading must name 存折号, 善行 and 日期."
    ),
    # Activities
    "activity-full": Sentence(409, "名额已满（{capacity} 人）。", "All {capacity} places are taken."),
    "activity-over": Sentence(409, "活动已经结束。", "The activity is over."),
    "activity-times-malformed": Sentence(
        422, "结束要晚于开始，且一次活动不超过 24 小时。", "An activity ends after it begins, and within 24 hours."
    ),
    "check-in-closed": Sentence(
        409, "签到从活动开始前 30 分钟开放，到活动结束为止。", "Check-in is open from 30 minutes before the activity until its end."
    ),
    "check-out-closed": Sentence(
        409, "自助签退的时间已过，请找活动负责人签退。", "It is too late to check out alone; ask the host to do it."
    ),
    "check-out-decided": Sentence(
        409,
        "这次签退得的分已有人审核，不能恢复在场；请由本人另报没有记下的时间。",
        "What was earned by this check-out is being decided, so it stays; the time that is missing can be reported as a deed.",
    ),
    "check-out-so-soon": Sentence(
        409,
        "您刚签到不久。真的现在就走，请再点一次签退；还要参加，什么都不用点。",
        "You have only just checked in. If you really leave now, check out once more; if you stay, do nothing.",
    ),
    "checked-out-already": Sentence(
        409,
        "已经签退（{out_at}）；如果是按错了，请活动负责人恢复在场。",
        "Checked out already ({out_at}); if that was a mistake, ask the host to take it back.",
    ),
    "reopening-closed": Sentence(
        409,
        "活动结束已超过两小时，签退不能再恢复；请由本人另报没有记下的时间。",
        "The activity ended more than two hours ago, so a check-out is not taken back any more; the missing time can be reported as a deed.",
    ),
    "host-checks-in-others": Sentence(
        409, "负责人不为自己签到，请扫现场动态码。", "A host does not check themselves in; scan the venue's code instead."
    ),
    "in-two-places": Sentence(
        409,
        "这段时间已在别处签到或申报过，同一时间只算一处。",
        "That time is taken by another activity or deed; nobody is in two places at once.",
    ),
    "not-checked-in": Sentence(409, "还没有签到。", "This person has not checked in."),
    "digits-must-wait": Sentence(
        429,
        "数字错了太多次，请 {retry_after} 秒后再试，或扫现场的码。",
        "Too many wrong digits; try again in {retry_after} seconds, or scan the code at the venue.",
    ),
    "host-without-role": Sentence(
        409,
        "主持人须在活动所在的网格有活动主持、楼长、网格员或管理员的角色。",
        "A host must be an activity host, building leader, grid worker or administrator where the activity is.",
    ),
    "not-of-this-activity": Sentence(
        409,
        "没有报名，也不住在您主持的网格；请本人报名，或扫现场的码。",
        "Has not signed up, nor lives where you host; they can sign up, or scan the code at the venue.",
    ),
    "numbers-not-of-this-activity": Sentence(
        409,
        "{numbers} 没有报名，也不住在您主持的网格；请本人报名，或扫现场的码。其余的请去掉这些号再提交。",
        "{numbers} have not signed up, nor live where you host; they can sign up, or scan the code at the venue. "
        "Leave them out and submit the others.",
    ),
    "venue-code-expired": Sentence(
        410, "动态码不对或已过期，请扫现场正在显示的码。", "This code is wrong or has expired; scan the one shown at the venue now."
    ),
    "venue-code-unknown": Sentence(404, "没有这个签到码，请扫活动现场的码。", "There is no such venue code; scan the one at the venue."),
    # Claims
    "deed-told-without-photo": Sentence(
        409,
        "调解的事不拍照片，也不写当事人；请去掉照片再提交。",
        "Mediation is told without photos of anybody; take them off and send again.",
    ),
    "photo-missing": Sentence(409, "这件事要附一张照片；请选好照片再提交。", "This deed is shown by a photo; choose one and send again."),
    "photo-of-iphone": Sentence(
        422,
        "苹果手机的 HEIC 照片打不开。请在“设置 › 相机 › 格式”里选“兼容性最佳”再拍，或选一张截图。",
        "HEIC photos of an iPhone cannot be opened. Under Settings, Camera, Formats choose Most Compatible, or send a screenshot.",
    ),
    "photo-of-too-many-pixels": Sentence(
        422, "照片太大（超过 {most} 百万像素）；请选小一点的。", "The photo has more than {most} million pixels; choose a smaller one."
    ),
    "photo-too-large": Sentence(
        422, "照片文件超过 {most} MB；请选小一点的。", "The file of the photo is larger than {most} MB; choose a smaller one."
    ),
    "photo-unreadable": Sentence(
        422, "这个文件不是照片，或者坏了；请选 JPEG、PNG 或 WebP 照片。", "This is no photo, or a broken one; choose a JPEG, PNG or WebP."
    ),
    "photos-too-many": Sentence(422, "最多附 {most} 张照片。", "At most {most} photos can be sent along."),
    "acted-before": Sentence(
        403, "这条申报您已办过一步，下一步要由另一个人来办。", "You have acted on this claim already; the next step is somebody else's."
    ),
    "attested-by-own": Sentence(
        409,
        "为这件事代报或作证的人，与当事人是一家人或同一个团队，不能据此审核；请退回，由别人证明。",
        "Whoever proposed or attested this belongs to those it is for; return it, so that somebody else vouches for it.",
    ),
    "claim-not-in-state": Sentence(
        409, "这条申报已不在这一步，请刷新后再看。", "This claim is no longer at that step; reload to see where it stands."
    ),
    "deed-day-out-of-range": Sentence(
        422, "日期应在过去一年之内，不晚于今天（{today}）。", "The day must be within the past year and not after today, {today}."
    ),
    "deed-time-out-of-range": Sentence(
        422, "开始时间应在所填的那一天，且不晚于现在。", "The time must fall on the day that is given, and not after now."
    ),
    "deed-told-without-text": Sentence(
        409,
        "这类事只记时间、地点和做的人，不写经过，以免提到当事人；请清空“经过”再提交。",
        "Of such deeds only the time, the place and who did them are written down, so that nobody concerned is named; leave the text empty.",
    ),
    "kin-acted-before": Sentence(
        403,
        "您的亲属或同户已为这条申报办过一步，下一步要由别的人来办。",
        "Your kin or household has acted on this claim already; the next step is somebody else's.",
    ),
    # On somebody's behalf
    "mandate-for-oneself": Sentence(
        403,
        "不能自己给自己代办的资格，请由另一位工作人员登记。",
        "Nobody lets themselves act for somebody; another of the staff must give that.",
    ),
    "mandate-for-own": Sentence(
        403,
        "代办人是您的亲属、同户或您代办过的人，请由另一位工作人员登记。",
        "The helper is kin or household of yours, or one of you acted for the other; another of the staff must give that.",
    ),
    "mandate-on-own-device": Sentence(
        403,
        "在公用设备上不能委托别人；请用自己的手机，或请社区工作人员登记。",
        "Nobody is let act for you on a device that others use too; use your own phone, or ask community staff to enter it.",
    ),
    "mandate-of-oneself": Sentence(422, "代办人要是另外一个人。", "A helper is somebody else than the person helped."),
    "mandate-of-staff": Sentence(
        403,
        "代办人是楼长、社区工作人员等要证明或审核申报的人，要由负责其所在网格的管理员登记。",
        "This helper bears witness or decides on deeds: only an administrator of where they live may let them act for somebody.",
    ),
    "mandate-there": Sentence(
        409,
        "这个人已经可以代办；要改期限或限额，请先结束原来的。",
        "This mandate is there already; to change its days or its limit, end it first.",
    ),
    "mandate-days-out-of-range": Sentence(
        409, "日期要在 {earliest} 到 {latest} 之间。", "The days must lie between {earliest} and {latest}."
    ),
    "mandate-ended-already": Sentence(409, "这项代办已在 {at} 结束。", "This mandate was ended already, on {at}."),
    "guardian-by-staff": Sentence(403, "监护人由社区工作人员登记。", "A guardian is entered by community staff; ask them."),
    "guardian-of-adult": Sentence(
        409,
        "监护人只给未满 14 岁的孩子登记；出生年月登记错了的，请先更正。",
        "A guardian is entered for a child below 14 only; where the month of birth is wrong, have it put right first.",
    ),
    "erasure-of-child-by-staff": Sentence(
        403,
        "替孩子抹除资料，请监护人带证件到社区办理。",
        "A child's data are erased by community staff; the guardian asks them, and brings a document.",
    ),
    "helper-unfit": Sentence(409, "未满 18 岁的人不能代办，请换一位。", "Nobody below 18 acts for others; name another."),
    "mandate-agreed-already": Sentence(409, "您已经同意过了，可以开始代办。", "You have agreed already; you may begin."),
    "team-member-of-staff": Sentence(
        403,
        "其中有楼长、审核员等要证明或审核申报的人，要由负责其所在网格的管理员加入团队。",
        "Some of these bear witness or decide on deeds: only an administrator of where they live may add them to a team.",
    ),
    "guardian-needed": Sentence(
        409,
        "未满 14 岁，请先登记监护人，再填上监护人的存折号。",
        "Below 14: enrol the guardian first, and name them here.",
    ),
    "guardian-unfit": Sentence(
        409, "监护人要是在册的成年人，请换一位。", "A guardian is an adult who is enrolled and has not left; name another."
    ),
    "guardian-acts": Sentence(
        403,
        "未满 14 岁，由监护人代为办理；请监护人用自己的存折登录。",
        "Below 14 a guardian acts: let the guardian sign in as themselves and act for the child.",
    ),
    "kin-or-household": Sentence(
        403, "这是您亲属或同户的申报，要由别人来办。", "This is for your kin or household; somebody else must do it."
    ),
    "no-longer-in-reach": Sentence(
        403,
        "您现在已不能替这位居民或这个团队代报；请由现在负责的人重新代报。",
        "You no longer propose for this person or team; whoever is in charge of them now can propose it anew.",
    ),
    "note-missing": Sentence(
        422,
        "选了“其他原因”，请写明是什么原因，申报人会看到。",
        "With “other” as the reason, write what it is; whoever reported the deed reads it.",
    ),
    # Codes that are scanned
    "scan-nothing-given": Sentence(422, "请扫码、拍照，或输入数字。", "Scan the code, take a picture of it, or type the digits."),
    "scan-nothing-seen": Sentence(
        422,
        "照片里没有看到码：离近一点，换亮的地方，把整个码拍进去；也可以输入码旁边的数字。",
        "No code is seen in the picture: go closer, find more light, and take in all of the code; or type the digits beside it.",
    ),
    "scan-not-ours": Sentence(
        404,
        "这不是善行存折的码，可能是付款码或别家的码；请扫善行存折的码。",
        "This is no code of the Good-Deed Passbook, but perhaps one for paying with money; scan one of the passbook's.",
    ),
    "scan-cut-off": Sentence(
        404,
        "码只读到一部分，请把整个码放进框里再扫一次。",
        "Only a part of the code was read: hold all of it into the frame and scan again.",
    ),
    "own-deed": Sentence(
        403,
        "不能为自己的事作证、代报或审批，要由别人来办。",
        "Nobody proposes, attests or decides their own deed; somebody else must do it.",
    ),
}
