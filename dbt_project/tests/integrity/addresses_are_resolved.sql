-- A raw address without a row in identity.addresses would silently be nobody. The newest days of the busiest tables.
with

written as (

    select requester_email as address from {{ source('raw', 'support_tickets') }}
    where {{ in_run_window(workspace_date('known_from')) }}

    union

    select email as address from {{ source('raw', 'product_users') }}
    where {{ in_run_window(workspace_date('known_from')) }}

    union

    select email as address from {{ source('raw', 'crm_contacts') }}
    where {{ in_run_window(workspace_date('known_from')) }}

    union

    select email as address from {{ source('raw', 'identity_directory') }}
    where {{ in_run_window(workspace_date('known_from')) }}

)

select count(*) as addresses

from written

left join {{ source('identity', 'addresses') }} as addresses on written.address = addresses.address

where written.address is not null
    and addresses.address is null

having count(*) > 0
