"""Other systems at the hotline's interfaces."""
