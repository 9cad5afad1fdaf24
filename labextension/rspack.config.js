// Numbers modules in the order in which they are reached. The default is a hash of each
// module's name, and the entry's name holds the absolute path of the checkout: the same
// sources would give another bundle in another folder.
module.exports = { optimization: { moduleIds: 'natural' } };
