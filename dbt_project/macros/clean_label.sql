{% macro clean_label(label) -%}
    nullif(trim(regexp_replace(lower(cast({{ label }} as string)), '[ ]+', ' '{{ regexp_global() }})), '')
{%- endmacro %}
