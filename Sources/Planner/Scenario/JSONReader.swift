import FoundationEssentials

/// Reads JSON text.
public enum JSONReader {
}
