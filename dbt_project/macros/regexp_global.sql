{% macro regexp_global() -%}
    {{ return(adapter.dispatch('regexp_global', 'expansion')()) }}
{%- endmacro %}

{% macro default__regexp_global() -%}
{%- endmacro %}

{% macro duckdb__regexp_global() -%}
    , 'g'
{%- endmacro %}
