{% macro unioned_sources(sources, columns, condition='version_no = 1') -%}
    {%- set known = ['relation', 'condition', 'changes_of'] + columns | list -%}
    {%- for entry in sources %}
    {%- set unknown = entry | reject('in', known) | list -%}
    {%- if unknown %}{{ exceptions.raise_compiler_error('unioned_sources: no column ' ~ unknown | join(', ')) }}{% endif %}
    {{- 'union all\n\n    ' if not loop.first -}}
    select
        source_table,
        row_key,
        version_no,
        known_from,
        known_on,
        {% for column, expression in columns.items() -%}
        {{ entry.get(column, expression) }} as {{ column }}{{ ',' if not loop.last }}
        {% endfor %}
    {%- if entry.changes_of %}
    from (

        select
            *,
            lag({{ entry.changes_of }}) over (partition by row_key order by known_from, version_no) as earlier_value
        from {{ entry.relation }}

    ) as versions

    where {{ entry.changes_of }} is distinct from earlier_value
    {%- else %}
    from {{ entry.relation }}

    where {{ entry.condition | default(condition) }}
    {%- endif %}

    {% endfor -%}
{%- endmacro %}
