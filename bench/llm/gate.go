package llm

// gateCeiling is the most calls in flight at a time where the number is found out.
const gateCeiling = 256
