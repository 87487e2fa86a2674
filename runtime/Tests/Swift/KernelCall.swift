import CWherryABI
import CWherryKernels

/// One call of a kernel with operands of its own, for tests.
final class KernelCall {
  private var records: [wh_tensor_record] = []
  private var data: [UnsafeMutableRawBufferPointer] = []
  private var inputs = 0
  private var outputs = 0
  private var end: UInt64 = 0

  deinit { for buffer in data { buffer.deallocate() } }

  /// Bytes behind a quantized tensor that kernels may read.
  private static let slack = 63

  private func add<T: BitwiseCopyable>(_ element: UInt32, _ values: [T], isWeight: Bool) {
    let size = values.count * MemoryLayout<T>.stride
    let buffer = UnsafeMutableRawBufferPointer.allocate(
      byteCount: size + Self.slack, alignment: 64)
    buffer.initializeMemory(as: UInt8.self, repeating: 0xA5)
    values.withUnsafeBytes { buffer.copyMemory(from: $0) }
    var record = wh_tensor_record()
    record.element = element
    record.bytes = UInt64(size)
    record.storage = UInt32(isWeight ? WH_STORAGE_WEIGHTS : WH_STORAGE_ARENA)
    record.offset = end
    end += (record.bytes + 127) / 64 * 64
    records.append(record)
    data.append(buffer)
  }

  func input<T: BitwiseCopyable>(_ element: Int, _ values: [T], isWeight: Bool = false) {
    add(UInt32(element), values, isWeight: isWeight)
    inputs += 1
  }

  /// Signed values in the storage of `cpu`.
  func quantized(_ values: [Int], cpu: UInt32) {
    let flip: UInt8 = cpu & wh_unsigned == 0 ? 0 : 0x80
    add(
      WH_Q8, values.map { UInt8(bitPattern: Int8(truncatingIfNeeded: $0)) ^ flip }, isWeight: false)
    inputs += 1
  }

  func output<T: BitwiseCopyable>(_ element: Int, of count: Int, _ zero: T) {
    add(UInt32(element), [T](repeating: zero, count: count), isWeight: false)
    outputs += 1
  }

  func quantizedOutput(of count: Int) { output(Int(WH_Q8), of: count, UInt8(0)) }

  /// Scratch memory, the last operand.
  func scratch(_ count: Int) {
    add(UInt32(WH_UINT8), [UInt8](repeating: 0xA5, count: (count + 63) / 64 * 64), isWeight: false)
  }

  /// Checks, then runs.
  ///
  /// - Returns: why the kernel refused, or nil.
  func run<P: BitwiseCopyable>(_ code: UInt32, _ parameters: P, cpu: UInt32) -> String? {
    guard let kernel = wh_find_kernel(code) else { return "no kernel \(code)" }
    var indices: [UInt32] = (0..<inputs + outputs).map { UInt32($0) }
    let scratch = records.count - indices.count
    indices += (indices.count..<records.count).map { UInt32($0) }
    return records.withUnsafeBufferPointer { records in
      let tensors = data.indices.map { index in
        wh_tensor(
          data: data[index].baseAddress?.assumingMemoryBound(to: UInt8.self),
          record: records.baseAddress.map { $0 + index })
      }
      return tensors.withUnsafeBufferPointer { tensors in
        indices.withUnsafeBufferPointer { indices in
          withUnsafePointer(to: parameters) { parameters in
            var call = wh_call()
            call.parameters = UnsafeRawPointer(parameters)
            (call.tensors, call.operands) = (tensors.baseAddress, indices.baseAddress)
            (call.input_count, call.output_count) = (UInt16(inputs), UInt16(outputs))
            (call.scratch_count, call.cpu) = (UInt16(scratch), cpu)
            if let refusal = kernel.pointee.check(&call) { return String(cString: refusal) }
            let status = kernel.pointee.run(&call)
            return status == 0 ? nil : "status \(status)"
          }
        }
      }
    }
  }

  func result<T: BitwiseCopyable>(_ index: Int = 0, as type: T.Type) -> [T] {
    let at = inputs + index
    let count = Int(records[at].bytes) / MemoryLayout<T>.stride
    return (0..<count).map {
      data[at].loadUnaligned(fromByteOffset: $0 * MemoryLayout<T>.stride, as: type)
    }
  }

  /// Signed values of an output in the storage of `cpu`.
  func quantizedResult(_ index: Int = 0, cpu: UInt32) -> [Int] {
    let flip: UInt8 = cpu & wh_unsigned == 0 ? 0 : 0x80
    return result(index, as: UInt8.self).map { Int(Int8(bitPattern: $0 ^ flip)) }
  }
}

/// `WH_CPU_UNSIGNED`, which is a cast and so not imported.
let wh_unsigned: UInt32 = 1 << 31

/// Instruction sets to try: the definition in both storages, then every prefix of what is here.
let wh_processors: [UInt32] = {
  let all = wh_detect_cpu()
  let lesser = [
    UInt32(WHERRY_CPU_AVX512_VNNI), UInt32(WHERRY_CPU_AVX512_VNNI | WHERRY_CPU_AVX512),
    UInt32(WHERRY_CPU_I8MM), UInt32(WHERRY_CPU_I8MM | WHERRY_CPU_DOTPROD),
  ].map { wh_with_storage(all & ~$0) }
  var seen: Set<UInt32> = []
  #if arch(x86_64)
    let plain = [0, wh_unsigned]
  #else
    let plain: [UInt32] = [0]
  #endif
  return (plain + [wh_with_storage(all)] + lesser).filter { seen.insert($0).inserted }
}()
