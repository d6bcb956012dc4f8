"""The REST protocol of Sugar 7 and later: rest/v10, v11, v11_x; from its documentation."""
