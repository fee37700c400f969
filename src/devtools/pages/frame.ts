import type { Html } from '../../base/index.ts'
import { framed, type Page } from '../../ui/index.ts'

const tabs = {
  Inbox: '/',
  Flows: '/flows',
  Mails: '/mails',
  Pages: '/pages',
  Tools: '/tools',
  API: '/docs',
  Admin: '/admin',
} as const
export type Tab = keyof typeof tabs

/** A page of the development tools: the frame of all pages, with the tabs of these. */
export const toolPage = ({
  tab,
  ...page
}: Omit<Page, 'heading' | 'tabs' | 'base'> & { readonly tab: Tab }): Html =>
  framed({
    ...page,
    heading: tab,
    tabs: Object.entries(tabs).map(([label, address]) => ({ label, address, current: label === tab })),
  })
