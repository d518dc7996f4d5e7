"""How notebooks show engines, simulations and their numbers.

Tables that take the notebook's own colours, in the dark and in the light, and load nothing from
elsewhere. Whatever comes from a user (names, versions, states) is escaped.
"""
