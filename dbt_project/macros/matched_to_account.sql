{% macro matched_to_account(relation, account_keys, key_columns, row_id) -%}
    select
        candidates.*,
        coalesce(candidates.given_account_id, keys.account_id) as account_id,
        greatest(candidates.known_from, coalesce(keys.from_at, candidates.known_from)) as known_at,
        greatest(candidates.known_on, coalesce(keys.from_on, candidates.known_on)) as account_known_on,
        row_number() over (
            partition by candidates.{{ row_id }}
            order by
                greatest(candidates.known_on, coalesce(keys.from_on, candidates.known_on)),
                candidates.key_rank,
                keys.from_on nulls last,
                keys.account_id nulls last
        ) as match_rank

    from (

        select *, cast(null as string) as key_kind, cast(null as string) as match_key, 0 as key_rank
        from {{ relation }}
        where given_account_id is not null
        {%- for key_kind, column in key_columns.items() %}

        union all

        select *, '{{ key_kind }}' as key_kind, {{ column }} as match_key, {{ loop.index }} as key_rank
        from {{ relation }}
        where given_account_id is null and {{ column }} is not null
        {%- endfor %}

    ) as candidates

    left join {{ account_keys }} as keys
        on candidates.key_kind = keys.key_kind
        and candidates.match_key = keys.match_key
        and candidates.known_on < keys.until_on

    where coalesce(candidates.given_account_id, keys.account_id) is not null
{%- endmacro %}
