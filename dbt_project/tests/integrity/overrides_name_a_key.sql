{{ config(severity='warn') }}

-- An override of free mail, of what is no domain or address, or to an account that nobody knows, leads nowhere.
with

overrides as (

    select * from {{ source('raw', 'identity_overrides') }}

    where known_to is null

),

kept as (

    select distinct row_key from {{ ref('stg_identity__overrides') }}

),

accounts as (

    select distinct account_id from {{ ref('stg_crm__accounts') }}

)

select
    overrides.row_key,
    overrides.account_id

from overrides

left join kept on overrides.row_key = kept.row_key

left join accounts on overrides.account_id = accounts.account_id

where overrides.account_id is not null
    and (
        kept.row_key is null
        or (accounts.account_id is null and lower(overrides.account_id) <> 'none')
    )
