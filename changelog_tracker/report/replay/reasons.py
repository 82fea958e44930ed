"""Why something is left to hands: the headings of manual.md, the worst first, each with how."""

from __future__ import annotations

from typing import NamedTuple


class Reason(NamedTuple):
    """One kind of work by hand."""

    name: str
    title: str
    lead: str = ""
    loud: bool = False


REASONS = (
    Reason(
        "compromise",
        "Possible compromise",
        "**Stop here first.** These values look like what an attack leaves behind. The script"
        " leaves them out. Do not put them back, and do not paste them anywhere. Keep the disks of"
        " the lost machine and the files of the snapshot. Show this list to whoever handles"
        " security incidents before the server goes back into rotation.",
        loud=True,
    ),
    Reason(
        "certificate",
        "Certificates and private keys",
        "No snapshot holds a private key. Take it from where you keep it (a .pfx file and its"
        " password), or export it from another member that has it. Compare by subject and names: a"
        " renewed certificate has another thumbprint.",
    ),
    Reason(
        "secret",
        "Credentials and other secrets",
        "No snapshot holds a secret, only a fingerprint of it. Take it from where your passwords"
        " are kept. Set the credential of an alternate service account by a command of its own.",
    ),
    Reason(
        "file",
        "Files",
        "Copy by path, and compare the hash before and after. Never copy a whole .config file over"
        " that of a newer build: merge by hand.",
    ),
    Reason(
        "file-unwanted",
        "Files that nobody knows",
        "They lie in a folder that clients reach, and did not in the wanted state.",
    ),
    Reason(
        "file-content",
        "Files of pages and folders",
        "Logon pages, images, libraries, and whatever else lies in the folders of Exchange, of"
        " wwwroot and of your own. Copy file by file, never a folder.",
    ),
    Reason("binding", "Certificate bindings"),
    Reason("back-end-binding", "Certificate binding of the Exchange Back End"),
    Reason("computer-certificate", "Certificates of the computer"),
    Reason("service", "Services"),
    Reason("registry", "Registry"),
    Reason("update", "Builds and updates"),
    Reason(
        "form",
        "No confirmed command",
        "Set each with the tool that owns it, and read it back.",
    ),
    Reason("organisation", "Settings of the organisation"),
    Reason("rejected", "Rejected changes"),
    Reason("undocumented", "Undocumented changes"),
    Reason("owned", "Written through another setting"),
    Reason("read-only", "What follows from other settings"),
    Reason("mitigation", "Emergency Mitigation service"),
    Reason("setup", "Owned by Setup", "Users should not configure these."),
)
OTHER = Reason("other", "Other", "The script leaves these out. Read why.")


def reason_of(name: str) -> Reason:
    """Give the reason by its name in the plan; one that is not known is Other."""
    return next((reason for reason in REASONS if reason.name == name), OTHER)
