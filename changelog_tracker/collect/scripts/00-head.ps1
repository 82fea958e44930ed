# Reads the configuration of the Exchange server that it runs on, for changelog-tracker. It changes nothing.
# Without parameters it writes a bundle (a folder, and a zip where Windows can make one) into the current folder.
# Ends with 0 all read, 4 some kind was not read, 1 refused or failed, 2 a wrong parameter.
[CmdletBinding()]
param(
    # The folder of the bundle; in one that is there a new one is made.
    [string]$Out,
    # Only the folder.
    [switch]$NoZip,
    # Evidence of who and when from then on only, as 2026-11-22T10:00:00Z (UTC).
    [string]$Since,
    # Without the Exchange cmdlets, without evidence, without the list of all files with their hashes.
    [switch]$NoExchange,
    [switch]$NoEvidence,
    [switch]$NoManifest,
    # Where no Exchange session can be made: the local snap-in, or the shell of another server.
    [switch]$AllowSnapin,
    [string]$ExchangeServer,
    # For changelog-tracker itself: the answer on standard output instead of a bundle, all or a part of it.
    [string]$Frame,
    [string]$Mode,
    [string]$Fetch
)
