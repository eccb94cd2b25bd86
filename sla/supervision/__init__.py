"""Supervision (督办): numbered documents, what units answer to them, what is proposed to be supervised."""
