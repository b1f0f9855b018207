with

source as (

    select * from {{ source('identity', 'addresses') }}

),

overridden_people as (

    select distinct match_key

    from {{ ref('stg_identity__overrides') }}

    where key_kind = 'email'

),

renamed as (

    select
        ---------- ids
        cast(source.address as string) as address,
        cast(source.person_key as string) as person_key,

        ---------- texts
        cast(source.status as string) as status,
        case when source.status = 'company' then cast(source.registrable_domain as string) end as email_domain,
        -- Free mail and odd hosts lead to an account where an override names the person, and only there.
        coalesce(
            overridden_people.match_key,
            case when source.status = 'company' then cast(source.registrable_domain as string) end
        ) as email_key,
        cast(source.user_kind as string) as user_kind,
        cast(source.user_kind_rule as string) as user_kind_rule

    from source

    left join overridden_people on source.person_key = overridden_people.match_key

)

select * from renamed
