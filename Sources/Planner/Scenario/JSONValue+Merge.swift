extension JSONValue {
  /// The value with a patch applied: members replace members, `null` takes them away, anything else replaces the whole.
  ///
  /// Source: RFC 7386, JSON Merge Patch.
  func merging(_ patch: JSONValue) -> JSONValue {
    guard case .object(let changes) = patch else { return patch }
    var members: [Member] = []
    if case .object(let own) = self { members = own }
    for change in changes {
      let index = members.firstIndex { $0.key == change.key }
      if change.value == .null {
        if let index { members.remove(at: index) }
      } else if let index {
        members[index].value = members[index].value.merging(change.value)
      } else {
        members.append(Member(change.key, JSONValue.object([]).merging(change.value)))
      }
    }
    return .object(members)
  }
}
