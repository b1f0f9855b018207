{% materialization table, adapter='duckdb' -%}

    {%- set target_relation = this.incorporate(type='table') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is not none and existing_relation.type != 'table' -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {% if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
    {%- endif %}

    {% call statement('main') -%}
        create or replace table {{ target_relation }} as (
            {{ sql }}
        )
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {% do adapter.commit() %}

    {{ return({'relations': [target_relation]}) }}

{%- endmaterialization %}
