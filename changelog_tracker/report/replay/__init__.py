"""What a person reads of a plan: what stays for hands, and the runbook for the worst day."""
