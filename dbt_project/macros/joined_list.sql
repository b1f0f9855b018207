{% macro joined_list(label) -%}
    {{ return(adapter.dispatch('joined_list', 'expansion')(label)) }}
{%- endmacro %}

{% macro default__joined_list(label) -%}
    nullif(array_join(array_sort(collect_set({{ label }})), '|'), '')
{%- endmacro %}

{% macro duckdb__joined_list(label) -%}
    string_agg(distinct {{ label }}, '|' order by {{ label }})
{%- endmacro %}
