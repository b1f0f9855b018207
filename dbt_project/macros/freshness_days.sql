{#-
    Rendered by `python -m expansion_assets contracts` from expansion_assets/sources/contracts/*.yml; edit there, not here.
-#}
{% macro freshness_days(table) -%}
    {{ return({
        'billing_exchange_rates': 14,
        'crm_meetings': 21,
        'engagement_health': 35,
        'growth_headcount': 120,
        'growth_intent': 35,
        'identity_directory': 35,
        'identity_logins': 3,
        'product_users': 35,
        'product_usage': 3,
        'product_metered_usage': 3,
        'support_tickets': 14,
    }[table]) }}
{%- endmacro %}
