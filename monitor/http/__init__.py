"""HTTP requests that end: within a deadline for the whole call, and within a limit of bytes.

A timeout for each read is no bound: a server that sends one byte every two seconds holds its caller for ever,
and one that never stops sending fills the memory. Here one deadline covers the name look-up, the connection,
TLS, the request and the answer. Redirects are never followed: credentials and sound are for one host.
"""
