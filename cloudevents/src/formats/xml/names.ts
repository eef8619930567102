/** Namespaces of the XML format (CloudEvents XML format §3). */
export const eventNamespace = 'http://cloudevents.io/xmlformat/V1'
export const instanceNamespace = 'http://www.w3.org/2001/XMLSchema-instance'
export const schemaNamespace = 'http://www.w3.org/2001/XMLSchema'
