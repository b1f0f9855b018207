{% macro workspace_date(instant) -%}
    {{ return(adapter.dispatch('workspace_date', 'expansion')(instant, env_var('EXPANSION_TIME_ZONE', 'UTC'))) }}
{%- endmacro %}

{% macro default__workspace_date(instant, time_zone) -%}
    {%- if time_zone == 'UTC' -%}
    cast({{ instant }} as date)
    {%- else -%}
    cast(from_utc_timestamp({{ instant }}, '{{ time_zone }}') as date)
    {%- endif -%}
{%- endmacro %}

{% macro duckdb__workspace_date(instant, time_zone) -%}
    {%- if time_zone == 'UTC' -%}
    cast({{ instant }} as date)
    {%- else -%}
    cast(timezone('{{ time_zone }}', timezone('UTC', {{ instant }})) as date)
    {%- endif -%}
{%- endmacro %}
