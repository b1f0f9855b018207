with

source as (

    select * from {{ source('raw', 'product_users') }}

),

addresses as (

    select
        address as spelt_address,
        person_key,
        email_domain,
        email_key,
        status as email_status,
        user_kind as ruled_user_kind,
        user_kind_rule

    from {{ ref('stg_identity__addresses') }}

),

id_overrides as (

    {{ id_overrides() }}

),

renamed as (

    select
        ---------- ids
        cast(user_id as string) as user_id,
        {{ account_by_id() }} as account_id,
        addresses.person_key,
        'product_users' as source_table,
        cast(row_key as string) as row_key,

        ---------- texts
        addresses.email_domain,
        addresses.email_key,
        addresses.email_status,
        case
            when source.user_kind <> 'employee' then cast(source.user_kind as string)
            else coalesce(addresses.ruled_user_kind, 'employee')
        end as user_kind,
        case
            when source.user_kind <> 'employee' then 'user_kind_column'
            else addresses.user_kind_rule
        end as user_kind_rule,
        cast(role as string) as role,

        ---------- numerics
        cast(version_no as bigint) as version_no,

        ---------- booleans
        cast(is_known_at_assumed as boolean) as is_known_at_assumed,
        id_overrides.overridden_id is not null as is_account_overridden,

        ---------- dates and times
        cast(created_at as timestamp) as created_at,
        cast(updated_at as timestamp) as updated_at,
        cast(happened_at as timestamp) as happened_at,
        cast(known_from as timestamp) as known_from,
        cast(known_to as timestamp) as known_to,
        {{ workspace_date('happened_at') }} as happened_on,
        {{ workspace_date('known_from') }} as known_on,
        {{ workspace_date('known_to') }} as replaced_on

    from source

    left join addresses on source.email = addresses.spelt_address

    {{ join_id_overrides() }}

)

select * from renamed
