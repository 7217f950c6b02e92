"""Neural style transfer by optimisation, without a user interface.

Modules are layered: each imports only modules named before it in the README's architecture section,
and TensorFlow is imported only where something is about to be computed.
"""
