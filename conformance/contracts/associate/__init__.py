"""A second contract: ``PUT /v2/servers/{serverID}/ip_associations/{IPAddressID}`` makes an association.

The page of the removal does not speak of it; what is judged here are the supporting facts of spec/README.md.
"""
