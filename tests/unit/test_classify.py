"""Changes become the few lines that tell a person what happened, each with its class."""

from __future__ import annotations

from dataclasses import replace

import pytest

from changelog_tracker.diff.classify import Surroundings, classify
from changelog_tracker.model import Change

NOTHING = Surroundings()
INSTALLED = "%ExchangeInstallPath%/ClientAccess/owa/web.config"
ACCESS = "system.webServer/security/access"
AUTHENTICATION = "system.webServer/security/authentication"


def change(kind, resource, setting, before=None, after=None):
    action = "added" if before is None else "removed" if after is None else "changed"
    return Change(kind, resource, setting, action, before, after)


def server(setting, before, after):
    return change("ExchangeServer", "(server)", setting, before, after)


def iis(resource, setting, before=None, after=None):
    return change("IisSection", resource, setting, before, after)


BUILD = server("FolderBuild", "15.2.922.7", "15.2.1118.7")
OWA_URL = change("OwaVirtualDirectory", "owa (Default Web Site)", "ExternalUrl", "a", "b")


def folder(build, **settings):
    """Give a change of the section of a version folder; what is None came or went."""
    return f"Exchange Back End/owa/{build} : {ACCESS}", settings or {"sslFlags": ["Ssl"]}


def moved(old, new):
    (before_name, before), (after_name, after) = old, new
    return [iis(before_name, None, before), iis(after_name, None, None, after)]


def test_a_change_by_hand_is_a_customisation():
    """What nothing else explains, somebody did."""
    assert classify([OWA_URL], NOTHING) == [OWA_URL]
    assert OWA_URL.category == "customisation"


# --- product updates ------------------------------------------------------------------------------


def test_an_update_folds_what_it_brought():
    """The build, its folders and values that only name the build are one line."""
    pair = moved(folder("15.2.922.7"), folder("15.2.1118.7"))
    value = change("ConfigFile", f"{INSTALLED} : appSettings", "[key='v'].value",
                   "x/15.2.922.7/y", "x/15.2.1118.7/y")  # fmt: skip
    update, rest = classify([BUILD, *pair, value, OWA_URL], NOTHING)
    assert (update.category, update.setting, update.before, update.after) == (
        "product-update", "Build", "15.2.922.7", "15.2.1118.7",
    )  # fmt: skip
    assert sorted(one.path for one in update.folded) == sorted(one.path for one in (*pair, value))
    assert {one.category for one in update.folded} == {"product-update"}
    assert rest == OWA_URL


def test_a_real_difference_in_a_moved_folder_is_told():
    """A setting that is another in the new folder was customised there, and has its own line."""
    old = folder("15.2.922.7", sslFlags=["Ssl"], gone="1", same="x")
    new = folder("15.2.1118.7", sslFlags=["Ssl", "Ssl128"], came="2", same="x")
    update, *rest = classify([BUILD, *moved(old, new)], NOTHING)
    assert len(update.folded) == 2
    assert rest == [
        iis(new[0], "sslFlags", ["Ssl"], ["Ssl", "Ssl128"]),
        iis(new[0], "gone", "1"),
        iis(new[0], "came", None, "2"),
    ]


def test_a_folder_without_a_pair_is_told():
    """Half a pair is no version folder that moved."""
    removed, _ = moved(folder("15.2.922.7"), folder("15.2.1118.7"))
    update, rest = classify([BUILD, removed], NOTHING)
    assert (update.folded, rest) == ((), removed)


def test_without_a_new_build_nothing_is_folded():
    """Folders that change their names without an update are told one by one."""
    pair = moved(folder("15.2.922.7"), folder("15.2.1118.7"))
    assert classify(pair, NOTHING) == pair


def test_an_update_of_the_folders_alone_is_an_update():
    """Security updates move the version folders and not AdminDisplayVersion."""
    [update] = classify([server("FolderBuild", "15.2.922.7", "15.2.1118.7")], NOTHING)
    assert (update.category, update.setting) == ("product-update", "Build")


def test_an_update_folds_assembly_references_but_not_settings():
    """New assemblies come with the product; a new key in appSettings may be anybody's."""
    assembly = change("ConfigFile", f"{INSTALLED} : runtime",
                      "assemblyBinding.[name='Contoso']", None, {"name": "Contoso"})  # fmt: skip
    key = change("ConfigFile", f"{INSTALLED} : appSettings", "[key='a']", None, {"key": "a"})
    update, *rest = classify([BUILD, assembly, key], NOTHING)
    assert ([one.path for one in update.folded], rest) == ([assembly.path], [key])


# --- recovery -------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", ["MachineSid", "WindowsInstallDate"])
def test_a_new_windows_is_a_recovery(sign):
    """Another Windows under the same name: everything that changed at once is one line."""
    [recovery] = classify([OWA_URL, server(sign, "a", "b")], NOTHING)
    folded = [one.path for one in recovery.folded]
    assert (recovery.category, recovery.setting, folded) == ("recovery", sign, [OWA_URL.path])


def recreated(name, setting="Guid"):
    return change("OwaVirtualDirectory", name, setting, "1", "2")


def test_most_directories_new_at_once_are_a_recovery():
    """More than half of the virtual directories were made again."""
    changes = [recreated("a"), recreated("b"), OWA_URL]
    [recovery] = classify(changes, Surroundings(directories=3))
    assert (recovery.category, recovery.setting) == ("recovery", "VirtualDirectoryGuids")
    assert len(recovery.folded) == 3


def test_one_directory_made_again_is_no_recovery():
    """Somebody re-created one directory: its Guid and when it was created are one line."""
    changes = [recreated("a"), recreated("a", "WhenCreated"), OWA_URL]
    assert classify(changes, Surroundings(directories=4)) == [recreated("a"), OWA_URL]
    assert classify([recreated("a")], Surroundings(directories=1)) == [recreated("a")]


def test_one_directory_made_again_counts_once():
    """A new Guid and a new WhenCreated of one directory do not make two."""
    changes = [recreated("a"), recreated("a", "WhenCreated")]
    assert classify(changes, Surroundings(directories=3)) == [recreated("a")]


# --- one fact, one line ---------------------------------------------------------------------------


def test_what_the_directory_and_iis_show_is_one_line():
    """The owner's line tells it, and names the other."""
    owned = change(
        "EcpVirtualDirectory", "ecp (Default Web Site)", "BasicAuthentication", False, True
    )
    mirror = iis(
        f"Default Web Site/ecp : {AUTHENTICATION}/basicAuthentication", "enabled", False, True
    )
    assert classify([owned, mirror], NOTHING) == [replace(owned, also=(mirror.path,))]


def test_what_they_show_differently_is_two_lines():
    """Where AD and IIS say different things, both are told."""
    owned = change(
        "EcpVirtualDirectory", "ecp (Default Web Site)", "BasicAuthentication", False, True
    )
    mirror = iis(
        f"Default Web Site/ecp : {AUTHENTICATION}/basicAuthentication", "enabled", True, False
    )
    elsewhere = iis(
        f"Exchange Back End/ecp : {AUTHENTICATION}/basicAuthentication", "enabled", False, True
    )
    assert classify([owned, mirror, elsewhere], NOTHING) == [owned, mirror, elsewhere]


def test_two_readings_of_one_object_are_one_line():
    """What came with a full reading of a new directory is told with the directory."""
    first, second = (
        change("OwaVirtualDirectory", "x (Default Web Site)", None, None, part)
        for part in ({"ExternalUrl": "a"}, {"BasicAuthentication": True})
    )
    assert classify([first, second], NOTHING) == [
        replace(first, after={"ExternalUrl": "a", "BasicAuthentication": True})
    ]


# --- what Exchange did by itself ------------------------------------------------------------------


def test_a_mitigation_says_so():
    """A rewrite rule that the Emergency Mitigation service names was put there by it."""
    place = "Default Web Site/Autodiscover : system.webServer/rewrite/rules"
    rule = iis(place, "[name='PING1 inbound']", None, {"name": "PING1 inbound"})
    other = iis(place, "[name='Ours']", None, {"name": "Ours"})
    around = Surroundings(mitigations=frozenset({"ping1"}))
    assert classify([rule, other], around) == [replace(rule, category="mitigation"), other]
    assert classify([rule], NOTHING) == [rule]


def rpc(flags, place="Default Web Site/Rpc"):
    return iis(f"{place} : {ACCESS}", "sslFlags", ["x"], flags)


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (rpc([]), {"SSLOffloading": True}),
        (rpc(["Ssl", "Ssl128"]), {"SSLOffloading": False}),
        (rpc([], "Exchange Back End/Rpc"), {"SSLOffloading": True}),
        (
            iis(
                f"Default Web Site/Rpc : {AUTHENTICATION}/basicAuthentication",
                "enabled",
                False,
                True,
            ),
            {"IISAuthenticationMethods": ["Basic", "Ntlm"]},
        ),
        (
            iis(
                f"Default Web Site/Rpc : {AUTHENTICATION}/windowsAuthentication",
                "enabled",
                False,
                True,
            ),
            {"IISAuthenticationMethods": ["Negotiate"]},
        ),
    ],
)
def test_what_the_servicelet_stamps_says_so(done, said):
    """RpcHttpConfigurator sets /Rpc back to what the directory says, every 15 minutes."""
    sites = {done.resource.partition("/")[0]: said}
    assert classify([done], Surroundings(outlook_anywhere=sites)) == [
        replace(done, category="servicelet")
    ]


@pytest.mark.parametrize(
    ("done", "said"),
    [
        (rpc(["Ssl"]), {"SSLOffloading": True}),
        (rpc([]), {"SSLOffloading": None}),
        (rpc([], "Default Web Site/owa"), {"SSLOffloading": True}),
    ],
)
def test_what_somebody_did_to_rpc_is_a_customisation(done, said):
    """Another value than the directory's, or another place, is no servicelet's work."""
    assert classify([done], Surroundings(outlook_anywhere={"Default Web Site": said})) == [done]
