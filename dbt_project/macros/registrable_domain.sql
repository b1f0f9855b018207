{% macro registrable_domain(domain) -%}
    {%- set cleaned = "lower(trim(cast(" ~ domain ~ " as string)))" -%}
    case
        when regexp_extract({{ cleaned }}, '([^.]+[.][^.]+)$', 1) in ({{ quoted_list(var('two_label_suffixes')) }})
            then nullif(regexp_extract({{ cleaned }}, '([^.]+[.][^.]+[.][^.]+)$', 1), '')
        else nullif(regexp_extract({{ cleaned }}, '([^.]+[.][^.]+)$', 1), '')
    end
{%- endmacro %}
