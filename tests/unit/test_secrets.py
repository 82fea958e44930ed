"""A secret never gets past the reading of a file, and nothing but secrets is touched."""

from __future__ import annotations

import re
from html import unescape
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changelog_tracker.normalise.secrets import SECRET_TOKEN, Fingerprints, redact

KEY = b"k" * 32
FINGERPRINTS = Fingerprints(KEY)
TOKEN = rb"\{secret:[0-9a-f]{8}:[0-9a-f]{32}\}"


def token(text):
    return FINGERPRINTS.token(text)


def redacted(text):
    return redact(text.encode(), FINGERPRINTS).decode()


# What stands between « and » is the secret as the file writes it.
FOUND = [
    '<processModel password="«x1»" />',
    "<processModel password='«x\"1»' />",
    '<a password = "«x1»"\n userName="EX01\\svc"/>',
    '<a userPassword="«x&amp;1»"/>',
    '<a password=""/>',
    '<a v="«[enc:AesProvider:abc:enc]»"/>',
    '<machineKey validationKey="«AB12»" decryptionKey="AutoGenerate,IsolateApps"/>',
    '<add name="x" connectionString="«Server=a»"/>',
    '<add sessionKey="«AQ==»"/>',
    '<add key="BindPassword" value="«x1»"/>',
    '<add value="«x1»" key="my.API.Token"/>',
    '<add key="Pass&#119;ord" value="«x1»"/>',
    '<add key="PasswordMinLength" value="8"/>',
    '<add key="TokenLifetime" value="00:30:00"/>',
    '<add key="u" value="«https://a:x1@ex01/»"/>',
    '<add key="s" value="«a=b;pwd = x1»"/>',
    '<add key="s" value="«a=b;pwd&#61;x1»"/>',
    '<add id="6027" value="«O:BAG»"/>',
    '<add id="6028" value="O:BAG"/>',
    "<CipherValue>«AQ==»</CipherValue>",
    "<password>« x1\n»</password>",
    "<a>«pwd=x1»</a>",
    "<a><b/>«pwd=x1»<c/></a>",
    "<a><b></b>«pwd=x1»</a>",
    "<password><![CDATA[«x<1»]]></password>",
    "<password><!-- old -->«x1»</password>",
    "<a><![CDATA[« <b pwd=x1> »]]></a>",
    '<setting name="DbPassword"><value>«x1»</value></setting>',
    '<SS N="ClientSecret">«0100»</SS>',
    '<S N="Password">«x1»</S>',
    '<!-- <add key="Password" value="«x1»"/> -->',
    '<a publicKeyToken="31bf"/>',
    '<e tokenChecking="Require"/>',
]


@pytest.mark.parametrize("marked", FOUND)
def test_a_secret_is_replaced_where_it_stands(marked):
    """A fingerprint of what a secret says stands in its place, and every other byte stays."""
    expected = re.sub("«(.*)»", lambda found: token(unescape(found[1])), marked, flags=re.DOTALL)
    assert redacted(re.sub("[«»]", "", marked)) == expected


def test_a_secret_in_pieces_has_one_fingerprint():
    """Text and CDATA of one element are one secret."""
    got = redacted("<password>a<![CDATA[b]]><!-- c -->d</password>")
    assert got == f"<password>{token('abd')}<![CDATA[]]><!-- c --></password>"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<!-- a < b; password: x1 -->", "<!-- {secret in a comment} -->"),
        ('<!-- pwd=x1 <a password="x2"/> pwd=x3 --><a/>', "<!-- {secret in a comment} --><a/>"),
        ("<?tool password='x1'?><a/>", "<? {secret in a comment} ?><a/>"),
    ],
)
def test_a_comment_that_tells_a_secret_goes_as_a_whole(before, after):
    """What configures nothing needs no fingerprint."""
    assert redacted(before) == after


def test_the_fingerprint_is_of_what_the_secret_says():
    """However a secret is written, the same one has the same fingerprint; another key another."""
    forms = ['<a password="x&amp;1"/>', "<a password='x&#38;1'/>", '<a password="x&#x26;1"/>']
    assert {SECRET_TOKEN.search(redacted(form))[0] for form in forms} == {token("x&1")}
    other = Fingerprints(b"o" * 32)
    assert other.token("x&1") != token("x&1")
    assert other.key_id != FINGERPRINTS.key_id


def test_a_forged_fingerprint_is_no_fingerprint():
    """Text that only looks like a fingerprint is a secret like any other."""
    assert redacted('<a password="{secret:mine}"/>') == f'<a password="{token("{secret:mine}")}"/>'


def test_assembly_references_are_not_searched_but_for_comments():
    """No assembly reference names a secret; a comment among them may."""
    text = '<assemblyBinding xmlns="urn:x">{}<a name="Password.Net"/></assemblyBinding>'
    assert redacted(text.format("")) == text.format("")
    assert "x1" not in redacted(text.format('<!-- <add key="Password" value="x1"/> -->'))


# Every part of a document says which of its bytes are secret.
ODD = st.text("abc&<>\"' ;=é漢\n", max_size=6)
PLAIN = st.text("abc xyz é漢", max_size=6)


def in_attribute(text, quote):
    quoted = {'"': "&quot;", "\n": "&#10;"} if quote == '"' else {"'": "&apos;", "\n": "&#10;"}
    return escape(text, quoted)


FORMS = ("attribute", "pair", "comment", "text", "cdata", "setting", "none")


@st.composite
def parts(draw):
    """Draw a piece of a document: bytes before, the secret as it is written, bytes behind."""
    secret = f"Hunter{draw(ODD)}2"
    quote = draw(st.sampled_from("\"'"))
    space = draw(st.sampled_from(["", " ", "\n  "]))
    public = escape(draw(PLAIN), {'"': "&quot;"})
    form = draw(st.sampled_from(FORMS))
    written = in_attribute(secret, quote)
    name = draw(st.sampled_from(["password", "userPassword", "validationKey", "x:sessionKey"]))
    key = draw(st.sampled_from(["Password", "x.clientSecret", "ApiKey", "MyToken"]))
    attribute = f'<a b="{public}" {name}{space}={space}{quote}'
    pair = f'<add key="{key}" value={space}{quote}'
    return {
        "attribute": (attribute, written, f"{quote}{space}/>"),
        "pair": (pair, written, f"{quote}/>"),
        "comment": (f"<!-- {pair}", written, f"{quote}/> -->"),
        "text": ("<password>", escape(secret), "</password>"),
        "cdata": (f"<password>{space}<![CDATA[", secret, f"]]>{space}</password>"),
        "setting": ('<setting name="DbPassword"><value>', escape(secret), "</value></setting>"),
        "none": (f'<a b="{public}">{escape(public)}</a>', "", ""),
    }[form]


@given(st.lists(parts(), max_size=6), st.text(" \n", max_size=3))
def test_a_secret_never_gets_through_and_all_else_stays(pieces, between):
    """Wherever secrets stand, none is left, and every other byte is where it was."""
    text = "<configuration>" + between.join("".join(piece) for piece in pieces) + "</configuration>"
    pattern = [b"<configuration>"]
    for number, (before, secret, behind) in enumerate(pieces):
        pattern += [re.escape(between.encode())] if number else []
        pattern += [
            re.escape(before.encode()),
            TOKEN if secret else b"",
            re.escape(behind.encode()),
        ]
    pattern.append(b"</configuration>")
    got = redact(text.encode(), FINGERPRINTS)
    assert b"Hunter" not in got
    assert re.fullmatch(b"".join(pattern), got)


@given(st.lists(parts(), max_size=4))
def test_what_is_redacted_stays_as_it_is(pieces):
    """Redacting a file that is redacted already changes nothing: its fingerprints are kept."""
    text = "<configuration>" + "".join("".join(piece) for piece in pieces) + "</configuration>"
    once = redact(text.encode(), FINGERPRINTS)
    assert redact(once, FINGERPRINTS) == once
    assert redact(once, Fingerprints(b"o" * 32)) == once


@given(
    st.binary(max_size=60) | st.text("<>!-[]CDATA?/'\"= password&#;", max_size=60).map(str.encode)
)
def test_what_is_no_xml_does_no_harm(data):
    """Any bytes can be searched for secrets, to an end."""
    assert isinstance(redact(data, FINGERPRINTS), bytes)
