/** The address of a page of the inbox, with the search. Default values are omitted. */
export function pageAddress(
  place: { readonly id?: string; readonly view?: string; readonly search?: string } = {},
): string {
  const query = new URLSearchParams()
  if (place.view !== undefined) query.set('view', place.view)
  if (place.search) query.set('q', place.search)
  const path = place.id === undefined ? '/' : `/inbox/${place.id}`
  return query.size === 0 ? path : `${path}?${query}`
}
