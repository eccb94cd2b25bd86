"""The floor as its leaders see it: agents, queue and calls now; help calls; languages; own figures."""
