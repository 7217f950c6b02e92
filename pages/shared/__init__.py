"""What the pages share: pickers, viewers and the small things that give the app one look."""
