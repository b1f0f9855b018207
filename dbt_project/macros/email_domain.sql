{% macro email_domain(email) -%}
    {{ registrable_domain(dbt.split_part('trim(cast(' ~ email ~ ' as string))', "'@'", 2)) }}
{%- endmacro %}
