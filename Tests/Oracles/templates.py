#!/usr/bin/env python3
"""Writes Tests/Oracles/templates.json: templates in Liquid's and in Twig's writing, and what two other
implementations make of them (python-liquid 2.3, Jinja2 3.1), dates and numbers as Python prints them.

    pip install python-liquid jinja2 && Tests/Oracles/templates.py

Where the two disagree with each other, the generator stops: such a template is not part of the shared subset.
"""
import datetime, decimal, json, pathlib, random, sys
import jinja2, liquid

CONTEXT = {
    "customer": {"first_name": "Zoë", "last_name": "O'Hara <b>", "city": "Moscow", "note": "a & b\nsecond \"line\"",
                 "email": "zoe@example.com", "lower": "mIxEd case"},
    "product": {"id": "p1", "name": "CD \"Blue\"", "category": "music"},
    "order": {"id": "A-17", "total": 1234.5, "count": 3, "currency": "USD"},
    "items": [{"name": "one", "price": 5}, {"name": "two & a half", "price": 25}, {"name": "three", "price": 125}],
    "words": ["alpha", "beta", "gamma"],
    "nothing_left": [],
}

TWIG_NAMES = {"upcase": "upper", "downcase": "lower", "escape": "e", "size": "length", "strip": "trim", "raw": "safe"}


class Missing(jinja2.StrictUndefined):
    """Asked whether it is there, it says no; printed, it stops."""
    def __bool__(self): return False
    def __eq__(self, other): return isinstance(other, jinja2.Undefined) or other is None
    def __ne__(self, other): return not self == other
    __hash__ = None
    def __getattr__(self, name):
        if name.startswith("__"): raise AttributeError(name)
        return self
    def __getitem__(self, name): return self


def filters(style, names):
    out = ""
    for name, *arguments in names:
        if style == "twig":
            name = TWIG_NAMES.get(name, name)
        quoted = ", ".join(f'"{a}"' if isinstance(a, str) else str(a) for a in arguments)
        if not quoted: out += f" | {name}"
        elif style == "twig": out += f"|{name}({quoted})"
        else: out += f" | {name}: {quoted}"
    return out


class Writer:
    """The same template in both writings."""
    def __init__(self, style): self.style = style
    def out(self, value, *names): return "{{ " + value + filters(self.style, names) + " }}"
    def if_(self, condition, body, *rest):
        text = "{% if " + condition + " %}" + body
        for item in rest:
            if isinstance(item, tuple):
                text += "{% " + ("elif" if self.style == "twig" else "elsif") + f" {item[0]} %}}" + item[1]
            else: text += "{% else %}" + item
        return text + "{% endif %}"
    def for_(self, variable, items, body, otherwise=None):
        return ("{% for " + variable + " in " + items + " %}" + body
                + ("{% else %}" + otherwise if otherwise is not None else "") + "{% endfor %}")
    def comment(self, text): return "{# " + text + " #}" if self.style == "twig" else "{% comment %}" + text + "{% endcomment %}"
    def raw(self, text): return "{% raw %}" + text + "{% endraw %}"
    @property
    def loop(self): return "loop" if self.style == "twig" else "forloop"


FIXED = [
    lambda w: "plain text, {not} a % tag }}",
    lambda w: "Hello " + w.out("customer.first_name") + "!",
    lambda w: w.out("customer.last_name"),
    lambda w: w.out("customer.note"),
    lambda w: w.out("customer.nick", ("default", "friend")),
    lambda w: w.out("customer.nick"),
    lambda w: "Hello " + w.out("customer.nick", ("upcase",)) + " half",
    lambda w: w.out("customer.first_name", ("default", "friend"), ("upcase",)),
    lambda w: w.out("nobody.at.all", ("default", "x y")),
    lambda w: w.out("customer.last_name", ("escape",)),
    lambda w: w.out("product.id", ("upcase",), ("downcase",)),
    lambda w: w.out("customer.lower", ("capitalize",)),
    lambda w: w.out("words", ("join", ", ")),
    lambda w: w.out("words", ("first",)) + w.out("words", ("last",)) + w.out("words", ("size",)),
    lambda w: w.out("customer.email", ("size",)),
    lambda w: w.out("customer.city", ("replace", "o", "00")),
    lambda w: w.out('"  x y "', ("strip",)) + "|",
    lambda w: w.out("words[1]") + w.out("items[0].name") + w.out('customer["city"]'),
    lambda w: w.out("order.count") + w.out("order.total"),
    lambda w: w.if_("customer.city", "in " + w.out("customer.city"), "nowhere"),
    lambda w: w.if_("customer.nick", "yes", "no"),
    lambda w: w.if_("nothing_left", "some", ("order.count > 2", "many"), "few") if w.style == "twig" else w.if_("nothing", "some", ("order.count > 2", "many"), "few"),
    lambda w: w.if_('customer.city == "Moscow"', "M", ('customer.city == "Paris"', "P"), "?"),
    lambda w: w.if_('customer.city == "Paris"', "P", ('customer.city == "Moscow"', "M"), "?"),
    lambda w: w.if_('customer.city != "Paris" and order.count >= 3', "a", "b"),
    lambda w: w.if_('customer.city == "Paris" or order.count < 4 and order.total > 1000', "a", "b"),
    lambda w: w.if_("order.total <= 1234.5", "a", "b"),
    lambda w: w.if_("order.total < 1234.5", "a", "b"),
    lambda w: w.for_("i", "items", w.out("i.name") + "=" + w.out("i.price") + ";"),
    lambda w: w.for_("i", "nothing_left", "x", "empty"),
    lambda w: w.for_("i", "words", w.out(w.loop + ".index") + w.out("i") + w.if_(w.loop + ".last", ".", ", ")),
    lambda w: w.for_("i", "words", w.if_(w.loop + ".first", "[") + w.out("i") + w.if_(w.loop + ".last", "]")),
    lambda w: w.for_("i", "items", w.for_("j", "words", w.if_("i.price > 20", w.out("j") + " "))),
    lambda w: w.for_("i", "words", w.out("i")) + w.out("i", ("default", "gone")),
    lambda w: "a" + w.comment("nothing {{ here }}") + "b",
    lambda w: w.raw("{{ not.read }} {% if %}"),
    lambda w: "a \n {%- if true -%} \n b {%- endif %} c",
    lambda w: "x {{- customer.city -}} y",
    lambda w: w.if_("true", "t", "f") + w.if_("false", "t", "f"),
    lambda w: w.if_('customer.nick == nil' if w.style == "liquid" else "customer.nick == none", "no nick", "nick"),
    lambda w: w.if_('customer.city contains "osc"' if w.style == "liquid" else '"osc" in customer.city', "y", "n"),
    lambda w: w.if_('words contains "beta"' if w.style == "liquid" else '"beta" in words', "y", "n"),
]


def random_case(rng):
    def value(): return rng.choice(["customer.first_name", "customer.last_name", "customer.city", "product.name", "product.id", "order.count"])
    def text_filters():
        pool = [("upcase",), ("downcase",), ("capitalize",), ("replace", "o", "00"), ("strip",), ("default", "nothing")]
        return rng.sample(pool, rng.randint(0, 3))
    def condition():
        return rng.choice(['customer.city == "Moscow"', "order.count > 3", "order.count >= 3", "customer.nick", "customer.city",
                           'product.id != "p1"', "order.total < 2000", "order.count == 3"])
    def joined():
        word = rng.choice(["and", "or"])
        return f" {word} ".join(condition() for _ in range(rng.randint(1, 3)))
    def build(depth):
        parts = []
        for _ in range(rng.randint(1, 3)):
            kind = rng.randint(0, 4 if depth < 3 else 1)
            if kind == 0: parts.append(("text", rng.choice(["a ", " - ", ".\n", "<b>", "&", "привет ", "{ % } "])))
            elif kind in (1, 2): parts.append(("out", value(), text_filters()))
            elif kind == 3: parts.append(("if", joined(), build(depth + 1), joined(), build(depth + 1), build(depth + 1)))
            else: parts.append(("for", rng.choice(["words", "nothing_left"]), build(depth + 1), build(depth + 1)))
        return parts
    tree = build(0)
    def write(w, parts):
        text = ""
        for part in parts:
            if part[0] == "text": text += part[1]
            elif part[0] == "out":
                text += w.out(part[1], *[f for f in part[2] if part[1] != "order.count" or f[0] == "default"])
            elif part[0] == "if": text += w.if_(part[1], write(w, part[2]), (part[3], write(w, part[4])), write(w, part[5]))
            else: text += w.for_("w", part[1], w.out("w", ("upcase",)) + write(w, part[2]), write(w, part[3]))
        return text
    return lambda w: write(w, tree)


def normal(text): return text.replace("&#34;", "&quot;").replace("&#x27;", "&#39;")


def by_jinja(source, html):
    environment = jinja2.Environment(autoescape=html, undefined=Missing, keep_trailing_newline=True)
    try: return normal(environment.from_string(source).render(**CONTEXT))
    except jinja2.UndefinedError: return None


def by_liquid(source, html):
    strict = liquid.Environment(autoescape=html, undefined=liquid.StrictUndefined)
    lenient = liquid.Environment(autoescape=html)
    defaulting = liquid.Environment(autoescape=html, undefined=liquid.undefined.StrictDefaultUndefined)
    if "nick" in source or "nobody" in source or "if nothing" in source or "gone" in source:
        if "{% if" in source: return normal(lenient.from_string(source).render(**CONTEXT))
        try: return normal(defaulting.from_string(source).render(**CONTEXT))
        except liquid.exceptions.UndefinedError: return None
    return normal(strict.from_string(source).render(**CONTEXT))


def main():
    rng = random.Random(42)
    templates = []
    for make in FIXED + [random_case(rng) for _ in range(160)]:
        liquid_source, twig_source = make(Writer("liquid")), make(Writer("twig"))
        if len(liquid_source) > 1500: continue
        for html in (True, False):
            a, b = by_liquid(liquid_source, html), by_jinja(twig_source, html)
            if a != b: sys.exit(f"the oracles disagree:\n{liquid_source!r} -> {a!r}\n{twig_source!r} -> {b!r}")
            templates.append({"liquid": liquid_source, "twig": twig_source, "escapes": html, "expected": a})
    dates = []
    pairs = [("%d.%m.%Y", "d.m.Y"), ("%Y-%m-%d", "Y-m-d"), ("%A, %B %-d", "l, F j"), ("%a %b %y", "D M y"), ("%H:%M:%S", "H:i:s"),
             ("%I:%M %p", "h:i A"), ("%-d/%-m", "j/n")]
    for _ in range(40):
        day = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=rng.randrange(4_000_000_000))
        liquid_format, twig_format = rng.choice(pairs)
        written = rng.choice([day.isoformat(), day.isoformat() + "Z", day.strftime("%Y-%m-%d %H:%M:%S+03:00")])
        dates.append({"date": written, "liquid": liquid_format, "twig": twig_format, "expected": day.strftime(liquid_format)})
    numbers = []
    for _ in range(40):
        places = rng.randint(0, 4)
        size = rng.randint(1, 12)
        number = decimal.Decimal(rng.randrange(-10**size, 10**size)).scaleb(-places)
        digits = rng.randint(0, 4)
        rounded = number.quantize(decimal.Decimal(1).scaleb(-digits), decimal.ROUND_HALF_UP)
        text = f"{rounded:,f}"
        numbers.append({"number": f"{number:f}", "digits": digits, "expected": text.lstrip("-") if rounded == 0 else text})
    target = pathlib.Path(__file__).parent / "templates.json"
    target.write_text(json.dumps({"templates": templates, "dates": dates, "numbers": numbers}, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(templates)} templates")


main()
