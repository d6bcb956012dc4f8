"""The client for SugarCRM's second REST service, rest/v10 and rest/v11: Sugar 7 and later."""
