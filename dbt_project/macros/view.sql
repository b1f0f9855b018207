{% materialization view, adapter='duckdb' -%}

    {%- set target_relation = this.incorporate(type='view') -%}
    {%- set existing_relation = load_cached_relation(this) -%}
    {%- if existing_relation is not none and existing_relation.type != 'view' -%}
        {{ drop_relation_if_exists(existing_relation) }}
    {%- endif -%}

    {{ run_hooks(pre_hooks) }}

    {% call statement('main') -%}
        create or replace view {{ target_relation }} as (
            {{ sql }}
        )
    {%- endcall %}

    {{ run_hooks(post_hooks) }}

    {% do adapter.commit() %}

    {{ return({'relations': [target_relation]}) }}

{%- endmaterialization %}
