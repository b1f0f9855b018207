{% macro beginning() -%}
    cast('1900-01-01' as date)
{%- endmacro %}
