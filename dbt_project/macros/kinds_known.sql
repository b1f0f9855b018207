{% macro kinds_known(table, kinds) -%}
    {#- First day on which any account had a record of one of the kinds. Before it nobody knows whether the source tells
        of them at all, so a count of 0 would be a guess. -#}
    min(case when source_name = '{{ table }}' and match_key in ('{{ kinds | join("', '") }}') then first_known_on end)
{%- endmacro %}
