{% macro id_overrides() -%}
    select
        match_key as overridden_id,
        account_id as redirected_account_id,
        from_on as overridden_from_on,
        until_on as overridden_until_on

    from {{ ref('stg_identity__overrides') }}

    where key_kind = 'source_id'
{%- endmacro %}

{% macro join_id_overrides() -%}
    left join id_overrides
        on source.account_id = id_overrides.overridden_id
        and {{ workspace_date('source.known_from') }} >= id_overrides.overridden_from_on
        and {{ workspace_date('source.known_from') }} < id_overrides.overridden_until_on
{%- endmacro %}

{% macro account_by_id() -%}
    case
            when id_overrides.overridden_id is null then cast(source.account_id as string)
            else id_overrides.redirected_account_id
        end
{%- endmacro %}
