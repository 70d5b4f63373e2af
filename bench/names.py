"""Made-up names and phones for made-up people; nobody real."""

from __future__ import annotations

from random import Random

SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
GIVEN = "秀英桂兰玉珍淑华建国志强国平玉兰桂英秀兰春梅丽娟凤英红霞晓燕海燕志明永康德贵兴旺福生守业文斌俊杰子轩雨桐欣怡浩然思远明辉庆华立新爱民卫东建军树林金花银凤彩云月娥"


def make_name(random: Random) -> str:
    """Return a made-up name of two or three characters."""
    given = "".join(random.choice(GIVEN) for _ in range(random.choice((1, 2, 2, 2))))
    return random.choice(SURNAMES) + given


def make_phone(number: int) -> str:
    """Return the `number`-th made-up mobile phone; all differ."""
    return f"190{number:08d}"
