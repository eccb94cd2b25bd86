"""电子证照库: with consent a verification result, never the document."""
