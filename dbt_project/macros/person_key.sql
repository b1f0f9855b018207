{% macro person_key(email) -%}
    md5(nullif(lower(trim(cast({{ email }} as string))), ''))
{%- endmacro %}
