import WherryBytes
import WherryGraph
import WherryOperators

/// A model that was read from a file, with the file's bytes and format.
public struct ModelFile: Sendable {
  public let path: String
  public let bytes: Bytes
  public let format: any ModelFormat.Type
  public let model: Model
  /// What the reader could not carry over.
  public let losses: [Loss]

  /// Reads a model.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard input.
  ///   - format: nil to recognize it.
  /// - Throws: `ReadFailure` with everything wrong with the file.
  public init(
    _ path: String, as format: (any ModelFormat.Type)? = nil, limits: Limits = .standard
  ) throws(ReadFailure) {
    self.path = path
    do {
      bytes =
        path == "-" ? try Bytes(reading: 0, limit: limits.fileBytes) : try Bytes(mapping: path)
    } catch {
      throw ReadFailure(DecodeError(.file(error)))
    }
    guard let format = format ?? Formats.recognize(bytes, path: path == "-" ? nil : path) else {
      throw ReadFailure(DecodeError(.notThisFormat("a model file of a known format"), .byte(0)))
    }
    self.format = format
    let source = ModelSource(
      bytes, path: path == "-" ? nil : path, limits: limits, operators: OperatorSet.all)
    let reading = try format.read(source)
    (model, losses) = (reading.model, reading.losses)
  }

  private init(
    _ file: ModelFile, _ bytes: Bytes, _ format: any ModelFormat.Type, _ reading: Reading
  ) {
    (path, self.bytes, self.format) = (file.path, bytes, format)
    (model, losses) = (reading.model, reading.losses)
  }

  /// The model written in another format and read back, in memory.
  ///
  /// - Throws: `EncodeError` when it can't be written, `ReadFailure` when it can't be read back.
  public func converted(
    to format: any ModelFormat.Type, options: WriteOptions = WriteOptions()
  ) throws -> ModelFile {
    let sink = MemorySink()
    _ = try format.write(model, to: sink, options: options)
    let bytes = Bytes(sink.bytes)
    let reading = try format.read(ModelSource(bytes, operators: OperatorSet.all))
    return ModelFile(self, bytes, format, reading)
  }
}

extension Model {
  /// Writes the model to a file that appears whole or not at all.
  ///
  /// - Parameters:
  ///   - path: a file, or `-` for standard output.
  ///   - isStrict: whether any loss ends the writing without a file.
  /// - Returns: everything the format could not hold.
  /// - Throws: `EncodeError` when nothing usable can be written.
  public func write(
    to path: String, as format: any ModelFormat.Type, options: WriteOptions = WriteOptions(),
    isStrict: Bool = false
  ) throws(EncodeError) -> [Loss] {
    var options = options
    let losses: [Loss]
    if path == "-" {
      let sink = MemorySink()
      losses = try format.write(self, to: sink, options: options)
      try Self.refuse(losses, if: isStrict)
      do {
        try StandardOutput().append(sink.bytes)
      } catch {
        throw EncodeError(.file(error))
      }
      return losses
    }
    options.path = path
    do {
      let file = try AtomicFile(path)
      losses = try format.write(self, to: file, options: options)
      try Self.refuse(losses, if: isStrict)
      try file.commit()
    } catch let error as EncodeError {
      throw error
    } catch let error as FileError {
      throw EncodeError(.file(error))
    } catch {
      throw EncodeError(.invalid("\(error)"))
    }
    return losses
  }

  private static func refuse(_ losses: [Loss], if isStrict: Bool) throws(EncodeError) {
    guard isStrict, let loss = losses.first else { return }
    throw EncodeError(.loss(loss.what), loss.place)
  }
}
