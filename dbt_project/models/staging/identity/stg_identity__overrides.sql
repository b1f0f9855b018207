{#- A table, unlike other staging models: every one of them joins it, and a plan of thirty such views took seconds. -#}
{{ config(materialized='table') }}

with

source as (

    select * from {{ source('raw', 'identity_overrides') }}

),

addresses as (

    select address as spelt_address, person_key from {{ source('identity', 'addresses') }}

),

domains as (

    select domain as spelt_domain, company_domain from {{ ref('stg_identity__domains') }}

),

keyed as (

    select
        cast(source.key_kind as string) as key_kind,
        case source.key_kind
            when 'email' then addresses.person_key
            when 'domain' then domains.company_domain
            else cast(source.match_key as string)
        end as match_key,
        source.account_id is null as is_withdrawn,
        case when lower(source.account_id) <> 'none' then cast(source.account_id as string) end as account_id,
        'identity_overrides' as source_table,
        cast(source.row_key as string) as row_key,
        cast(source.version_no as bigint) as version_no,
        cast(source.known_from as timestamp) as known_from,
        greatest(
            {{ workspace_date('source.known_from') }},
            coalesce(cast(source.valid_from as date), {{ workspace_date('source.known_from') }})
        ) as from_on,
        {{ workspace_date('source.known_to') }} as replaced_on

    from source

    left join addresses
        on source.match_key = addresses.spelt_address
        and source.key_kind = 'email'

    left join domains
        on source.match_key = domains.spelt_domain
        and source.key_kind = 'domain'

),

stretched as (

    -- A newer word on a key ends an older one on the day it counts, also where two spellings of a key were settled. A
    -- version that was withdrawn by the source without a successor ends there.
    select
        *,
        count(*) over (
            partition by row_key order by version_no rows between 1 following and unbounded following
        ) as later_versions,
        min(from_on) over (
            partition by key_kind, match_key
            order by known_from, from_on, row_key
            rows between 1 following and unbounded following
        ) as next_from_on

    from keyed

    where match_key is not null

),

renamed as (

    select
        ---------- ids
        key_kind,
        match_key,
        account_id,
        source_table,
        row_key,

        ---------- numerics
        version_no,

        ---------- dates and times
        known_from,
        from_on,
        least(
            coalesce(next_from_on, {{ open_end() }}),
            case when later_versions = 0 then coalesce(replaced_on, {{ open_end() }}) else {{ open_end() }} end
        ) as until_on

    from stretched

    where not is_withdrawn

)

select * from renamed

where from_on < until_on
