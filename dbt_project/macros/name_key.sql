{% macro name_key(name) -%}
    md5({{ clean_label(name) }})
{%- endmacro %}
