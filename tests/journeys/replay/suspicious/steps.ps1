
$Steps += @{ Id='s001';
  Group='exchange';
  Op='set';
  Owner='shell';
  Title='EcpVirtualDirectory[ecp (Default Web Site)].ExternalUrl';
  ResourceKind='EcpVirtualDirectory';
  Resource='ecp (Default Web Site)';
  Setting='ExternalUrl';
  Needs=@();
  Recycles=@('MSExchangeECPAppPool');
  ByItself=$false;
  Weaker='';
  Log=@('2.1');
  Undo='Set-EcpVirtualDirectory with the values that were found';
  Goals=@(@{Name='ExternalUrl'; Kind='uri'; Wanted='https://mail.contoso.com/ecp'; Expected=$null});
  Cmdlet='Set-EcpVirtualDirectory';
  Get={ Get-EcpVirtualDirectory -Identity 'EX01\ecp (Default Web Site)' -DomainController $script:Dc -ErrorAction Stop };
  Do={ param($v) Set-EcpVirtualDirectory -Identity 'EX01\ecp (Default Web Site)' -ExternalUrl $v.ExternalUrl -DomainController $script:Dc -WhatIf:$script:WhatIfOn -Confirm:$false -ErrorAction Stop } }
$Steps += @{ Id='s002';
  Group='exchange';
  Op='set';
  Owner='shell';
  Title='OwaVirtualDirectory[owa (Default Web Site)].ExternalUrl';
  ResourceKind='OwaVirtualDirectory';
  Resource='owa (Default Web Site)';
  Setting='ExternalUrl';
  Needs=@();
  Recycles=@('MSExchangeOWAAppPool');
  ByItself=$false;
  Weaker='';
  Log=@('2.4');
  Undo='Set-OwaVirtualDirectory with the values that were found';
  Goals=@(@{Name='ExternalUrl'; Kind='uri'; Wanted='https://mail.contoso.com/owa'; Expected=$null});
  Cmdlet='Set-OwaVirtualDirectory';
  Get={ Get-OwaVirtualDirectory -Identity 'EX01\owa (Default Web Site)' -DomainController $script:Dc -ErrorAction Stop };
  Do={ param($v) Set-OwaVirtualDirectory -Identity 'EX01\owa (Default Web Site)' -ExternalUrl $v.ExternalUrl -DomainController $script:Dc -WhatIf:$script:WhatIfOn -Confirm:$false -ErrorAction Stop } }
$Steps += @{ Id='s003';
  Group='extended-protection';
  Op='attribute';
  Owner='iis';
  Title='IisSection[Default Web Site/owa : system.webServer/security/authentication/windowsAuthentication].extendedProtection.tokenChecking';
  ResourceKind='IisSection';
  Resource='Default Web Site/owa : system.webServer/security/authentication/windowsAuthentication';
  Setting='extendedProtection.tokenChecking';
  Needs=@();
  Recycles=@();
  ByItself=$false;
  Weaker='Extended Protection';
  Log=@('2.6');
  Undo='the value that was found';
  Goals=@(@{Name='tokenChecking'; Kind='enum'; Wanted='None'; Expected='Require'});
  File='';
  Location='Default Web Site/owa';
  Section='system.webServer/security/authentication/windowsAuthentication';
  Hops=@(@{Tag='extendedProtection'; Keys=@()}) }

exit (Invoke-Replay)
