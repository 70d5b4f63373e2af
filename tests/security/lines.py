"""The lines of security that this service is held to, each with its ASVS 5.0 numbers and the tests that prove it.

Besides those named here, a line is proved by the tests that are marked `asvs` with its number. A line of which nothing stands here and
nothing is marked is not there yet, and fails.
"""

from __future__ import annotations

from typing import NamedTuple


class Line(NamedTuple):
    """One line: what it asks for, in both languages, and where it is proved."""

    zh: str
    en: str
    asvs: str
    #: Files or tests, below tests/.
    proofs: tuple[str, ...] = ()


_SIGN_IN, _ACCOUNT = "web/pages/test_sign_in.py::", "web/pages/test_account.py::"
_PASSWORDS, _CODES = "ledger/sign_in/test_passwords.py::", "ledger/sign_in/test_codes.py::"
_SESSIONS, _STAFF = "ledger/sign_in/test_sessions.py::", "ledger/sign_in/test_staff.py::"
_INPUT, _FORMS = "house/test_bad_input.py::", "house/test_bad_forms.py::"

LINES: dict[int, Line] = {
    1: Line("只走加密连接", "encrypted connections only", "3.4.1"),
    2: Line(
        "页面只加载本站内容",
        "pages load nothing from elsewhere",
        "3.4.3, 3.4.6, 3.4.7",
        ("house/test_templates.py::test_a_template_holds_no_script_and_no_style_and_nothing_from_elsewhere",),
    ),
    3: Line("内容类型、来源和窗口的保护头", "types, referrers and windows are guarded", "3.4.4, 3.4.5, 3.4.8, 4.1.1"),
    4: Line("别的网站读不到接口", "other sites read nothing of the API", "3.4.2"),
    5: Line(
        "登录凭据只在本站的安全 cookie 里",
        "cookies are bound to this host and unreadable",
        "3.3.1-3.3.5",
        ("web/pages/test_devices.py::test_the_devices_token_lies_in_a_cookie_that_no_script_reads",),
    ),
    6: Line(
        "别的网站不能代发表单",
        "no forged forms, no changes by reading",
        "3.5.1-3.5.3",
        (
            _SIGN_IN + "test_no_form_is_taken_from_another_site",
            _FORMS + "test_a_form_without_its_secret_does_nothing",
            _INPUT + "test_every_write_takes_one_plain_json_object_and_nothing_else",
        ),
    ),
    7: Line("不认识的方法一律拒绝", "unknown methods are refused", "4.1.4, 13.4.4"),
    8: Line("伪造的转发头不起作用", "forged forwarding headers change nothing", "4.1.3, 15.3.4"),
    9: Line(
        "登录和验证都换会话号",
        "signing in and proving change the session",
        "7.2.4",
        (
            _SIGN_IN + "test_signing_in_gives_another_session_and_ends_the_one_before",
            _SIGN_IN + "test_signing_in_ends_the_session_before_it",
            _SESSIONS + "test_a_proof_gives_the_session_another_token",
        ),
    ),
    10: Line(
        "退出、改密、停用后旧 cookie 作废",
        "a copied cookie dies with the session",
        "7.4.1-7.4.3",
        (
            _SIGN_IN + "test_signing_out_ends_the_session_also_for_a_copy_of_its_cookie",
            _ACCOUNT + "test_changing_the_password_ends_every_other_session_and_link",
            _ACCOUNT + "test_a_disabled_person_is_nowhere_signed_in",
            "web/pages/test_devices.py::test_a_device_that_the_owner_ends_is_turned_away_at_its_next_request",
        ),
    ),
    11: Line(
        "会话号 128 位随机，只存散列",
        "128-bit tokens of which hashes are kept",
        "7.2.3, 11.5.1",
        (_SESSIONS + "test_only_hashes_are_kept", "ledger/sign_in/test_devices.py::test_of_a_device_only_hashes_are_kept"),
    ),
    12: Line(
        "闲置和总时长按角色限定",
        "idle and absolute limits",
        "7.3.1, 7.3.2",
        (
            _SESSIONS + "test_a_session_ends_with_its_time_and_when_it_rests",
            "web/pages/test_devices.py::test_an_unused_shift_locks_itself_and_asks_the_same_cashier",
            "web/pages/test_counter.py::test_a_session_at_the_counter_ends_by_itself",
        ),
    ),
    13: Line(
        "看得到并能结束自己的登录",
        "sessions are seen and ended",
        "7.5.2, 7.4.5",
        (
            _ACCOUNT + "test_one_sees_where_one_is_signed_in_and_ends_it_there",
            _ACCOUNT + "test_an_administrator_ends_sessions_of_their_areas_alone",
            _ACCOUNT + "test_nobody_ends_the_session_or_has_the_passkey_of_another",
        ),
    ),
    14: Line(
        "钱、角色、导出要五分钟内再验证",
        "money, roles and exports want a fresh proof",
        "7.5.1, 7.5.3",
        (
            _ACCOUNT + "test_an_old_session_alone_changes_no_way_in",
            "web/api/test_tokens.py::test_what_people_do_only_with_a_fresh_proof_a_machine_does_only_where_it_was_told",
        ),
    ),
    15: Line(
        "密码用 Argon2id 存",
        "Argon2id as strong as it has to be",
        "11.4.2",
        (_PASSWORDS + "test_of_a_password_only_a_sealed_hash_is_kept",),
    ),
    16: Line(
        "密码只要求长度",
        "length is all a password needs",
        "6.2.1, 6.2.5-6.2.9",
        (
            _PASSWORDS + "test_a_password_has_fifteen_to_128_characters",
            _PASSWORDS + "test_length_is_all_that_a_password_needs",
            _PASSWORDS + "test_a_password_is_compared_to_its_end_and_in_whatever_way_it_was_typed",
        ),
    ),
    17: Line(
        "常见和泄露过的密码不收",
        "common passwords are refused",
        "6.2.4, 6.2.11, 6.2.12",
        (
            _PASSWORDS + "test_a_password_that_others_would_try_is_refused",
            _PASSWORDS + "test_more_than_three_thousand_words_are_known",
            _PASSWORDS + "test_ones_own_name_and_phone_are_no_password",
            "ledger/sign_in/test_pins.py::test_an_easy_pin_is_found",
        ),
    ),
    18: Line(
        "猜错五次要等，不误伤本人",
        "five guesses, and the owner still gets in",
        "6.3.1",
        (
            _SIGN_IN + "test_of_thirty_guesses_from_one_browser_five_are_served_and_another_still_signs_in",
            "web/pages/test_counter.py::test_of_thirty_wrong_pins_five_are_served_and_ones_own_phone_stays_signed_in",
            "ledger/sign_in/test_guesses.py",
        ),
    ),
    19: Line(
        "有没有这个人，回答都一样",
        "known and unknown are answered alike",
        "6.3.8",
        (
            _SIGN_IN + "test_nobody_is_told_what_was_wrong_nor_who_is_there",
            _SIGN_IN + "test_guesses_at_somebody_and_at_nobody_end_alike",
            "web/pages/test_counter.py::test_wrong_card_wrong_pin_revoked_card_and_card_without_pin_are_answered_alike",
        ),
    ),
    20: Line(
        "没有默认账号，开通链接一次有效",
        "no default accounts; links work once",
        "6.3.2, 6.4.1",
        (
            _SESSIONS + "test_an_old_link_is_expired",
            _SESSIONS + "test_of_many_uses_at_once_one_opens_a_session",
            _SIGN_IN + "test_a_link_signs_in_once_and_looking_does_not_use_it_up",
        ),
    ),
    21: Line(
        "验证码和备用码只能用一次",
        "codes work once",
        "6.5.1, 6.5.5, 6.6.2, 6.6.3",
        (
            _CODES + "test_a_code_is_good_once_and_so_is_every_one_before_it",
            _CODES + "test_of_many_uses_of_one_code_at_once_one_holds",
            _CODES + "test_the_code_of_this_step_and_of_the_one_before_is_good",
            _CODES + "test_ten_recovery_codes_stand_in_for_a_code_once_each",
            _SIGN_IN + "test_a_code_signs_in_once",
        ),
    ),
    22: Line(
        "重办不绕过两步验证，管理员定不了别人的密码",
        "a reset skips nothing, and nobody sets another's password",
        "6.4.3, 6.4.6",
        (
            _STAFF + "test_a_link_is_no_way_round_the_second_factor",
            _STAFF + "test_beginning_anew_removes_everything_and_ends_everything",
            _ACCOUNT + "test_an_administrator_lets_somebody_begin_anew",
            _STAFF + "test_nobody_gives_a_way_in_to_themselves_or_to_whoever_can_do_more",
        ),
    ),
    23: Line("不靠短信登录", "no text message signs anybody in", "6.6.1"),
    24: Line(
        "每个地址都写明给谁用", "each route says whom it is for", "8.2.1, 8.3.1", ("house/test_routes.py", "house/test_permissions.py")
    ),
    25: Line("别人的东西看不到也动不了", "nothing of others is seen or changed", "8.2.2, 8.4.1", ("house/test_objects.py",)),
    26: Line(
        "多出来的字段不起作用",
        "fields that were not asked for change nothing",
        "15.3.3, 8.2.3",
        (_INPUT + "test_every_field_of_every_write_says_what_it_cannot_take",),
    ),
    27: Line(
        "撤了角色，下一次请求就不行",
        "a role that ended is gone at the next request",
        "8.3.2",
        ("web/api/test_tokens.py::test_a_machine_loses_what_its_person_loses",),
    ),
    28: Line(
        "步骤不能跳",
        "steps are not skipped",
        "2.3.1",
        ("web/api/test_claims.py::test_a_returned_claim_says_why_and_is_told_anew", "properties/test_machine.py"),
    ),
    29: Line(
        "大额两人批，自己和亲属批不了",
        "two people, and never oneself or kin",
        "2.3.4, 2.3.5, 15.4.2",
        ("ledger/claims/test_conflicts.py", "ledger/claims/test_approve.py"),
    ),
    30: Line(
        "怪数字都不收",
        "odd numbers are refused",
        "1.4.2, 2.2.1, 15.3.5",
        ("web/api/test_redemptions.py", _INPUT + "test_every_field_of_every_write_says_what_it_cannot_take"),
    ),
    31: Line(
        "给两次的字段不收",
        "what comes twice is refused",
        "15.3.7, 1.5.3",
        ("web/kit/test_repeated.py", _INPUT + "test_every_write_takes_one_plain_json_object_and_nothing_else"),
    ),
    32: Line(
        "不会被带到别的网站",
        "nobody is led elsewhere",
        "3.7.2",
        (_SIGN_IN + "test_nobody_is_led_elsewhere", _SIGN_IN + "test_after_signing_in_one_comes_where_one_wanted_to"),
    ),
    33: Line("导出的表格里没有公式", "sheets that are given out hold no formulas", "1.2.10"),
    34: Line("没有让服务去访问的网址", "no address that the service would fetch", "1.3.6, 15.3.2, 13.2.4"),
    35: Line(
        "上传的大小和类型",
        "size and kind of uploads",
        "5.2.1, 5.2.2, 5.2.4, 5.2.6",
        (
            _FORMS + "test_whatever_file_is_given_a_page_says_what_came_of_it",
            _FORMS + "test_a_form_that_is_too_large_is_refused_before_it_is_read",
        ),
    ),
    36: Line(
        "存下的图片",
        "images as they are stored",
        "5.3.1, 5.3.2, 5.4.1, 14.2.8, 3.2.1",
        ("web/kit/test_pictures.py", "web/pages/test_photos.py", "ledger/claims/test_photos.py"),
    ),
    37: Line(
        "写进来的文字不会变成网页代码",
        "texts never become markup",
        "1.2.1, 3.2.2",
        ("web/pages/test_prints_typeset.py::test_what_people_wrote_is_printed_as_they_wrote_it",),
    ),
    38: Line("注入试探原样存、原样显示", "canaries of injection stay texts", "1.2.4, 1.2.5, 1.3.7, 16.4.1", ("web/kit/test_logs.py",)),
    39: Line(
        "日志和网址里没有秘密和个人信息",
        "logs and addresses hold no secrets",
        "14.2.1, 16.2.5",
        ("house/test_canary.py", "web/kit/test_logs.py"),
    ),
    40: Line(
        "私人页面不留缓存，退出即清",
        "nothing private is cached",
        "14.3.1, 14.3.2",
        (_SIGN_IN + "test_signing_out_forgets_what_the_browser_kept",),
    ),
    41: Line(
        "出错时不泄露，也不留半截",
        "errors tell nothing and leave nothing",
        "16.5.1, 16.5.3, 13.4.2, 13.4.6",
        ("web/kit/test_logs.py::test_what_failed_is_logged_with_its_place_and_without_its_words",),
    ),
    42: Line(
        "拒绝和超限都有记录",
        "refusals and limits are recorded",
        "16.3.1-16.3.3",
        ("web/api/test_audit.py", "web/pages/test_audit.py", "cli/test_desk.py", "ledger/audit"),
    ),
    43: Line(
        "一种凭据只用于一种用途",
        "each token is for its purpose only",
        "9.1.1-9.2.4",
        (
            "ledger/sign_in/test_passkeys.py::test_a_challenge_is_for_one_purpose_and_of_this_service",
            "ledger/sign_in/test_passkeys.py::test_a_challenge_is_good_for_five_minutes_and_once",
            "house/test_routes.py::test_a_credential_of_the_other_kind_opens_nothing",
            "web/api/test_tokens.py",
        ),
    ),
    44: Line(
        "代码里没有密钥，密钥能换", "no secrets in git, keys change", "13.3.1, 13.3.4", ("ledger/test_settings.py", "cli/test_vault.py")
    ),
    45: Line(
        "依赖有清单和校验，调试关闭",
        "dependencies are listed and pinned, debugging is off",
        "15.1.2, 15.2.4, 13.4.2, 13.4.3",
        ("house/test_clone.py::test_the_two_locks_agree_and_every_package_has_its_hashes",),
    ),
}
